namespace Attune.Inference;

/// <summary>How much each part of a text speaks for an answer, as <see cref="Classifier.Explain(string, string?, AttributionOptions?)"/> finds it.</summary>
/// <param name="Label">The class that is explained.</param>
/// <param name="Method">How.</param>
/// <param name="Logit">The logit of the class (the number of a regression), before any temperature.</param>
/// <param name="BaselineLogit">The same where nothing of the text is known: all its tokens hidden.</param>
/// <param name="Tokens">The tokens of the text, or of both texts of a pair, in their order and without special tokens.</param>
/// <param name="Words">The same by words: pieces of one word are added up.</param>
public sealed record Attributions(
    string Label, AttributionMethod Method, double Logit, double BaselineLogit, IReadOnlyList<AttributedPart> Tokens, IReadOnlyList<AttributedPart> Words)
{
    /// <summary>Sum of all scores: by integrated gradients about <see cref="Logit"/> less <see cref="BaselineLogit"/>.</summary>
    public double Sum => Words.Sum(word => word.Score);
}

/// <summary>A token or a word with its score.</summary>
/// <param name="Text">A token as the vocabulary spells it; a word as it stands in the text.</param>
/// <param name="IsOfPair">Whether it stands in the second text of a pair.</param>
/// <param name="Start">Where it begins in its text, in UTF-16 code units.</param>
/// <param name="End">Where it ends.</param>
/// <param name="Score">Above 0 where it speaks for the class, below 0 where against, in units of the logit.</param>
public sealed record AttributedPart(string Text, bool IsOfPair, int Start, int End, double Score);

/// <summary>How attributions are found.</summary>
public enum AttributionMethod
{
    /// <summary>By integrated gradients where the engine has gradients, else by occlusion.</summary>
    Auto,

    /// <summary>Integrated gradients (Sundararajan et al. 2017): the scores add up to what the text changes in the logit. Needs the package Attune.</summary>
    IntegratedGradients,

    /// <summary>Occlusion (Zeiler and Fergus 2014): a word's score is what the logit loses when its tokens are hidden. Any engine; one row for each word.</summary>
    Occlusion,
}

/// <summary>How <see cref="Classifier.Explain(string, string?, AttributionOptions?)"/> explains.</summary>
public sealed record AttributionOptions
{
    /// <summary>How attributions are found.</summary>
    /// <value>Default <see cref="AttributionMethod.Auto"/>.</value>
    public AttributionMethod Method { get; init; }

    /// <summary>Places between baseline and text where integrated gradients compute the gradient.</summary>
    /// <value>At least 1. Default 32.</value>
    public int Steps { get; init; } = 32;

    /// <summary>The class to explain, by its name.</summary>
    /// <value>Default null: the one with the highest logit.</value>
    public string? Label { get; init; }
}
