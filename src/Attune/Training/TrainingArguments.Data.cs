namespace Attune.Training;

// Which training rows come how often.
public sealed partial record TrainingArguments
{
    /// <summary>
    /// How often the rows of each class come. An epoch has as many rows as the data set in any case; a row with several labels counts for each
    /// of them.
    /// </summary>
    /// <value>
    /// shuffle, balanced or weighted. Default shuffle: every row once. balanced: each class equally often, so rows of rare classes come several
    /// times in an epoch and those of frequent ones in turn over the epochs. weighted: every row is drawn by itself, with replacement, each class
    /// with the same probability. Not in transformers.
    /// </value>
    public SamplingKind Sampling { get; init; }
}

/// <summary>How often the rows of each class come in an epoch.</summary>
public enum SamplingKind
{
    /// <summary>Every row once.</summary>
    Shuffle,

    /// <summary>Each class as often as every other.</summary>
    Balanced,

    /// <summary>Drawn with replacement, each class with the same probability.</summary>
    Weighted,
}
