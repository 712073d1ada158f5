using Attune.Datasets;
using Attune.Tokenization;

namespace Attune.Batching;

/// <summary>The texts of a split as rows of tokens.</summary>
/// <param name="Dataset">The rows, with their labels where they have them.</param>
/// <param name="RowsCut">How many rows were longer than allowed and have been cut.</param>
public sealed record EncodedTexts(TokenizedDataset Dataset, int RowsCut)
{
    /// <summary>Tokenizes texts or pairs of texts; of a pair that is too long the longer text is cut first.</summary>
    /// <param name="rows">Texts and labels.</param>
    /// <param name="tokenizer">That of the model.</param>
    /// <param name="maxLength">Longest row in tokens, special tokens included; null for what the tokenizer says.</param>
    /// <param name="classes">Number of classes; needed for rows with several labels, without effect for others.</param>
    /// <exception cref="ArgumentOutOfRangeException">The rows have several labels, and one of them is outside <paramref name="classes"/>.</exception>
    /// <exception cref="AttuneException"><paramref name="maxLength"/> has no room for the special tokens.</exception>
    public static EncodedTexts Of(ClassificationRows rows, BertTokenizer tokenizer, int? maxLength = null, int classes = 0)
    {
        ArgumentNullException.ThrowIfNull(rows);
        var (encoded, cut) = Encode(rows.Texts, rows.Pairs, tokenizer, maxLength);
        return new EncodedTexts(new TokenizedDataset(encoded, LabelsOf(rows, classes)), cut);
    }

    /// <summary>Tokenizes texts without labels; gives the rows and how many of them were cut.</summary>
    internal static (PackedRows Rows, int Cut) Encode(
        IReadOnlyList<string> texts, IReadOnlyList<string>? pairs, BertTokenizer tokenizer, int? maxLength)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        var length = maxLength ?? tokenizer.ModelMaxLength;
        var whole = new EncodeOptions { Truncation = TruncationStrategy.DoNotTruncate };
        var packed = tokenizer.EncodePacked(texts, pairs, whole with { Truncation = TruncationStrategy.LongestFirst, MaxLength = length });
        var rows = new PackedRows(packed);
        // A row as long as allowed was cut or fits exactly: only these are tokenized again to tell.
        var full = new List<int>();
        for (var row = 0; row < packed.Count && length is not null; row++)
            if (packed.Row(row).Length == length) full.Add(row);
        if (full.Count == 0) return (rows, 0);
        var uncut = tokenizer.EncodePacked(full.ConvertAll(i => texts[i]), pairs is null ? null : full.ConvertAll(i => pairs[i]), whole);
        return (rows, Enumerable.Range(0, full.Count).Count(i => uncut.Row(i).Length > length));
    }

    private static Labels? LabelsOf(ClassificationRows rows, int classes) => rows switch
    {
        { Classes: { } numbers } => new ClassLabels([.. numbers]),
        { ClassSets: { } sets } => classes > sets.SelectMany(set => set).DefaultIfEmpty(0).Max()
            ? new MultiLabels(rows.MultiHot(classes), classes)
            : throw new ArgumentOutOfRangeException(nameof(classes), classes, "rows with several labels need the number of classes, which must cover all of them"),
        { Targets: { } targets } => new RegressionTargets([.. targets.Select(target => (float)target)]),
        _ => null,
    };
}
