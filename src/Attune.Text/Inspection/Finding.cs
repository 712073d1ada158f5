namespace Attune.Inspection;

/// <summary>Something about a data set that its owner should know.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Level">How much it matters.</param>
/// <param name="Splits">The splits it is about, one or two.</param>
/// <param name="Rows">How many rows, or for names how many names, it is about.</param>
/// <param name="Summary">One sentence.</param>
/// <param name="Advice">What to do about it, one sentence.</param>
/// <param name="Examples">The first of the rows, those that belong together side by side.</param>
public sealed record Finding(
    FindingKind Kind, FindingLevel Level, IReadOnlyList<string> Splits, long Rows, string Summary, string Advice, IReadOnlyList<FindingExample> Examples)
{
    /// <summary>How many of the rows are alike but for their case, where texts are compared; the others are alike to the letter.</summary>
    public long RowsByCaseOnly { get; init; }
}

/// <summary>Rows that belong together, such as two with the same text.</summary>
/// <param name="Rows">At least one.</param>
public sealed record FindingExample(IReadOnlyList<ExampleRow> Rows);

/// <summary>A row as people find it again.</summary>
/// <param name="Split">Its split.</param>
/// <param name="Place">File, row and line, or the number of the row where it came from no file.</param>
/// <param name="Text">Its text, both of a pair with a bar between them; a long one is cut.</param>
/// <param name="Label">Its label, several with commas between them; null where it has none.</param>
public sealed record ExampleRow(string Split, string Place, string Text, string? Label);
