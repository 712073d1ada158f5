namespace Attune.Inspection;

/// <summary>How a data set is inspected.</summary>
public sealed record InspectionOptions
{
    /// <summary>Longest row in tokens, special tokens included: what training would cut longer rows to.</summary>
    /// <value>Default null: what the tokenizer says.</value>
    public int? MaxLength { get; init; }

    /// <summary>Examples that a finding has at most.</summary>
    /// <value>At least 0. Default 5.</value>
    public int Examples { get; init; } = 5;
}
