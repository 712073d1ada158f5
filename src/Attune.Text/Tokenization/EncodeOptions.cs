namespace Attune.Tokenization;

/// <summary>Which tokens go when an input is longer than allowed. Names and meanings of transformers.</summary>
public enum TruncationStrategy
{
    /// <summary>None.</summary>
    DoNotTruncate,

    /// <summary>From the end of the longer sequence of a pair, until both are of one length; then from both.</summary>
    LongestFirst,

    /// <summary>From the first sequence only.</summary>
    OnlyFirst,

    /// <summary>From the second sequence only.</summary>
    OnlySecond,
}

/// <summary>To which length the rows of a batch are filled up.</summary>
public enum PaddingStrategy
{
    /// <summary>Not at all.</summary>
    DoNotPad,

    /// <summary>To the longest row of the batch.</summary>
    Longest,

    /// <summary>To <see cref="EncodeOptions.MaxLength"/>.</summary>
    MaxLength,
}

/// <summary>The side on which padding is added.</summary>
public enum PaddingSide
{
    /// <summary>Behind the tokens.</summary>
    Right,

    /// <summary>In front of the tokens.</summary>
    Left,
}

/// <summary>How texts become rows of tokens: the arguments of a tokenizer's call in transformers.</summary>
public sealed record EncodeOptions
{
    /// <summary>Put [CLS] and [SEP] round the sequences.</summary>
    /// <value>Default true.</value>
    public bool AddSpecialTokens { get; init; } = true;

    /// <summary>The length for truncation and for padding to <see cref="PaddingStrategy.MaxLength"/>.</summary>
    /// <value>Tokens, special ones included. Default null: the tokenizer's <see cref="Tokenizer.ModelMaxLength"/>.</value>
    public int? MaxLength { get; init; }

    /// <summary>Which tokens go when an input is too long.</summary>
    /// <value>Default none.</value>
    public TruncationStrategy Truncation { get; init; }

    /// <summary>To which length the rows are filled up.</summary>
    /// <value>Default not at all.</value>
    public PaddingStrategy Padding { get; init; }

    /// <summary>Rounds the padded length up to a multiple of this.</summary>
    /// <value>Tokens, at least 1. Default null: no rounding.</value>
    public int? PadToMultipleOf { get; init; }

    /// <summary>The side on which padding is added.</summary>
    /// <value>Default null: the tokenizer's own side.</value>
    public PaddingSide? PaddingSide { get; init; }

    /// <summary>On how many cores at most many texts are encoded. The result is the same.</summary>
    /// <value>At least 1. Default null: all that the process may use.</value>
    public int? MaxDegreeOfParallelism { get; init; }
}
