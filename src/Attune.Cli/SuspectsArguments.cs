namespace Attune.Cli;

/// <summary>Which labels are shown.</summary>
public sealed record SuspectsArguments
{
    /// <summary>How many labels are written, the most suspicious first.</summary>
    /// <value>At least 1. Default: as many as the folds doubt; a weak model doubts many that are right.</value>
    public int? Most { get; init; }

    /// <summary>The table of the suspects, as CSV: file and row, text, label, suggested label, score (the lower the more suspicious).</summary>
    /// <value>Default: suspects.csv in the folder.</value>
    public string? OutputFile { get; init; }
}
