namespace Attune.Cli;

/// <summary>What to show of the tokens.</summary>
public sealed record TokenizeArguments
{
    /// <summary>The second text of a pair.</summary>
    /// <value>Default: none. For one text only.</value>
    public string? TextPair { get; init; }

    /// <summary>Puts [CLS] and [SEP] round the texts.</summary>
    /// <value>Default true.</value>
    public bool AddSpecialTokens { get; init; } = true;
}
