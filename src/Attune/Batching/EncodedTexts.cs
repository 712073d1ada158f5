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
        var blocks = new EncodedBlocks(rows.Texts, rows.Pairs, tokenizer, maxLength);
        var encoded = new PackedRows([.. blocks.All(inOne: !rows.AreStored)]);
        return new EncodedTexts(new TokenizedDataset(encoded, LabelsOf(rows, classes)), blocks.Cut);
    }

    /// <summary>Tokenizes texts without labels; gives the rows and how many of them were cut.</summary>
    internal static (PackedRows Rows, int Cut) Encode(
        IReadOnlyList<string> texts, IReadOnlyList<string>? pairs, BertTokenizer tokenizer, int? maxLength)
    {
        var blocks = new EncodedBlocks(texts, pairs, tokenizer, maxLength);
        return (new PackedRows([.. blocks.All(inOne: true)]), blocks.Cut);
    }

    /// <summary>The labels as a model takes them.</summary>
    internal static Labels? LabelsOf(ClassificationRows rows, int classes) => rows switch
    {
        { Classes: { } numbers } => new ClassLabels([.. numbers]),
        { ClassSets: { } sets } => classes > sets.SelectMany(set => set).DefaultIfEmpty(0).Max()
            ? new MultiLabels(rows.MultiHot(classes), classes)
            : throw new ArgumentOutOfRangeException(nameof(classes), classes, "rows with several labels need the number of classes, which must cover all of them"),
        { Targets: { } targets } => new RegressionTargets([.. targets.Select(target => (float)target)]),
        _ => null,
    };
}
