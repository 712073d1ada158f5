namespace Attune.Inspection;

/// <summary>What can be found in a data set.</summary>
public enum FindingKind
{
    /// <summary>A text stands in two splits.</summary>
    Leakage,

    /// <summary>A text has more than one label.</summary>
    Conflicts,

    /// <summary>A text stands in a split more than once.</summary>
    Duplicates,

    /// <summary>A text holds nothing but white space.</summary>
    Empty,

    /// <summary>A text has a single word.</summary>
    OneWord,

    /// <summary>Names of classes that differ by case, white space, punctuation or one letter.</summary>
    LabelSpellings,

    /// <summary>A class has no row in the training split, or the training split has one class only.</summary>
    MissingClasses,

    /// <summary>The rarest class of the training split has less than a tenth of the rows of the most frequent one.</summary>
    Imbalance,

    /// <summary>Texts are longer than <c>max_length</c>.</summary>
    Cut,

    /// <summary>The vocabulary lacks words of the texts.</summary>
    Unknown,

    /// <summary>Texts are in several scripts or languages.</summary>
    Languages,

    /// <summary>A split's texts are longer or shorter than those of the training split.</summary>
    LengthShift,

    /// <summary>A split's labels are distributed otherwise than those of the training split.</summary>
    LabelShift,
}

/// <summary>How much a finding matters.</summary>
public enum FindingLevel
{
    /// <summary>Worth knowing; may be as it should be.</summary>
    Note,

    /// <summary>Makes results wrong, or keeps rows from being learned.</summary>
    Warning,
}
