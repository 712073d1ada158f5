namespace Attune.Datasets;

/// <summary>What is known of the columns; whatever is null is found out.</summary>
public sealed record ClassificationOptions
{
    /// <summary>The text columns.</summary>
    /// <value>
    /// Default null: found by the usual names. One is a text; two are a pair of texts, unless <see cref="TextColumnDelimiter"/> is given;
    /// three or more are joined to one text.
    /// </value>
    public IReadOnlyList<string>? TextColumnNames { get; init; }

    /// <summary>Joins several text columns to one text.</summary>
    /// <value>Default null: two columns are a pair, more are joined by a space.</value>
    public string? TextColumnDelimiter { get; init; }

    /// <summary>The column of the labels.</summary>
    /// <value>Default null: found by the usual names.</value>
    public string? LabelColumnName { get; init; }

    /// <summary>The kind of task.</summary>
    /// <value>Default null: lists are multi-label, floats are regression, all else is one class a text.</value>
    public TaskKind? Task { get; init; }

    /// <summary>The names of the classes in the order of their numbers, such as those of a trained model.</summary>
    /// <value>Default null: the names in the column's type, else the labels that occur, sorted.</value>
    public IReadOnlyList<string>? LabelNames { get; init; }

    /// <summary>Separates the labels of one row in a column of text, as the comma in GoEmotions' "4,27".</summary>
    /// <value>
    /// Default null: a comma where <see cref="Task"/> is <see cref="TaskKind.MultiLabel"/> or every cell is numbers joined by commas; else
    /// text is one label.
    /// </value>
    public string? LabelSeparator { get; init; }

    /// <summary>Whether the split "train" is trained on: then it is told where all its rows are of one class.</summary>
    /// <value>Default true.</value>
    public bool IsForTraining { get; init; } = true;

    /// <summary>What to do with rows without text or with a label that is not one of the classes, and where to report; as for reading.</summary>
    public DatasetReadOptions Reading { get; init; } = new();
}
