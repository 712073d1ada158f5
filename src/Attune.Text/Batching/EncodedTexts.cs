using Attune.Datasets;
using Attune.Tokenization;

namespace Attune.Batching;

/// <summary>The texts of a split as rows of tokens.</summary>
/// <param name="Dataset">The rows, with their labels where they have them.</param>
/// <param name="RowsCut">How many texts were longer than allowed and have been cut, into windows where these were asked for.</param>
public sealed record EncodedTexts(TokenizedDataset Dataset, int RowsCut)
{
    /// <summary>Tokenizes texts or pairs of texts; of a pair that is too long the longer text is cut first.</summary>
    /// <param name="rows">Texts and labels.</param>
    /// <param name="tokenizer">That of the model.</param>
    /// <param name="maxLength">Longest row in tokens, special tokens included; null for what the tokenizer says.</param>
    /// <param name="classes">Number of classes; needed for rows with several labels, without effect for others.</param>
    /// <param name="windowStride">
    /// Makes windows of texts that are too long, overlapping by so many tokens, each a row with the label of its text; metrics are over the texts.
    /// Default null: they are cut.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">The rows have several labels, and one of them is outside <paramref name="classes"/>.</exception>
    /// <exception cref="AttuneException"><paramref name="maxLength"/> has no room for the special tokens, or for windows that overlap so far.</exception>
    public static EncodedTexts Of(ClassificationRows rows, Tokenizer tokenizer, int? maxLength = null, int classes = 0, int? windowStride = null)
    {
        ArgumentNullException.ThrowIfNull(rows);
        var blocks = new EncodedBlocks(rows.Texts, rows.Pairs, tokenizer, maxLength, windowStride);
        var encoded = new PackedRows([.. blocks.All(inOne: !rows.AreStored)]);
        return Of(encoded, LabelsOf(rows, classes), blocks.TextStarts, blocks.Cut);
    }

    /// <summary>Tokenizes texts without labels.</summary>
    internal static EncodedTexts Encode(
        IReadOnlyList<string> texts, IReadOnlyList<string>? pairs, Tokenizer tokenizer, int? maxLength, int? windowStride = null)
    {
        var blocks = new EncodedBlocks(texts, pairs, tokenizer, maxLength, windowStride);
        return Of(new PackedRows([.. blocks.All(inOne: true)]), null, blocks.TextStarts, blocks.Cut);
    }

    /// <summary>Joins rows, and the labels of their texts.</summary>
    /// <param name="rows">Texts, or windows of texts.</param>
    /// <param name="labels">One for each text, or null.</param>
    /// <param name="textStarts">Of windows the first of each text, and the number of all; null where each row is a text.</param>
    /// <param name="cut">How many texts were too long.</param>
    internal static EncodedTexts Of(PackedRows rows, Labels? labels, int[]? textStarts, int cut) =>
        new(new TokenizedDataset(rows, textStarts is null ? labels : TokenizedDataset.OfWindows(labels, textStarts), textStarts), cut);

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
