namespace Attune.Kernels;

/// <summary>What an attention looks at beside queries, keys and values. The default is BERT's: nothing, and every token sees its whole row.</summary>
internal readonly record struct AttentionView
{
    /// <summary>A token sees those that are at most so many columns away; null for its whole row.</summary>
    internal int? Window { get; init; }

    /// <summary>What relative positions add to the scores; null for nothing.</summary>
    internal RelativeScores? Relative { get; init; }

    /// <summary>Terms of a score beside query times key: the scale is 1 / sqrt(D (1 + this)).</summary>
    internal int ExtraTerms { get; init; }

    /// <summary>
    /// Whether a token that the mask hides sees nothing. What sees nothing takes the mean of all values of its row, as transformers does by filling all its
    /// scores with the smallest number.
    /// </summary>
    internal bool HiddenSeeNothing { get; init; }
}
