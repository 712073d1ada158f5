namespace Attune.Cli.Inspections;

/// <summary>What to show of a data set, and when to fail.</summary>
public sealed record InspectArguments
{
    /// <summary>File for the report as a page with pictures: one HTML file that needs nothing else.</summary>
    /// <value>Default: none; the report is printed.</value>
    public string? OutputFile { get; init; }

    /// <summary>Ends with exit code 1 where one of these is found.</summary>
    /// <value>
    /// leakage, conflicts, duplicates, empty, one_word, label_spellings, missing_classes, imbalance, cut, unknown, languages, length_shift, label_shift;
    /// warnings for all that are warnings, any for all. Several are separated by commas. Default none.
    /// </value>
    public IReadOnlyList<string> FailOn { get; init; } = [];

    /// <summary>Examples shown of each finding.</summary>
    /// <value>At least 0. Default 5.</value>
    public int Examples { get; init; } = 5;

    /// <summary>Measures some updates, batches of an evaluation and a checkpoint, to tell what time and memory training with the same arguments takes on this machine.</summary>
    /// <value>Default true.</value>
    public bool Probe { get; init; } = true;

    /// <summary>Updates that are measured for that.</summary>
    /// <value>At least 1. Default 20.</value>
    public int ProbeSteps { get; init; } = 20;
}
