using System.Globalization;
using Attune.Batching;
using Attune.Datasets;
using Attune.Profiling;
using Attune.Tokenization;

namespace Attune.Cli;

/// <summary>Splits as rows of tokens; says of each how many rows it has and how many were cut.</summary>
internal sealed class EncodedSplits(DataSource source, Tokenizer tokenizer, int maxLength, Action<string> tell, int? windowStride = null)
{
    /// <summary>Tokenizes a split; null where there is none.</summary>
    internal TokenizedDataset? Encode(string split, int? most)
    {
        using var time = Profiler.Measure("tokenizing");
        if (source.Encode(split, most, tokenizer, maxLength, windowStride) is not ({ } dataset, var cut)) return null;
        var tokens = dataset.Rows.Sum(row => (long)row.Length);
        tell(windowStride is { } stride
            ? string.Create(CultureInfo.InvariantCulture,
                $"Split {split}: {dataset.Texts:N0} texts, {tokens:N0} tokens in {dataset.Count:N0} windows of at most {maxLength} that share {stride}, {(cut == 0 ? "none" : $"{cut:N0}")} in several.")
            : string.Create(CultureInfo.InvariantCulture,
                $"Split {split}: {dataset.Count:N0} rows, {tokens:N0} tokens, {(cut == 0 ? "none" : $"{cut:N0}")} cut at {maxLength} tokens."));
        return dataset;
    }

    /// <summary>The same for a split that needs labels.</summary>
    /// <exception cref="AttuneException">It has none.</exception>
    internal TokenizedDataset? Labelled(string split, int? most)
    {
        var encoded = Encode(split, most);
        if (encoded is not null && encoded.Labels is null)
            throw new AttuneException(
                $"The split \"{split}\" of {source.Name} has no labels; name their column by --label-column-name, or leave the split out.");
        return encoded;
    }

    /// <summary>Of the embedded data set, which marks what is hard about a row: the marks of a split's rows; else null.</summary>
    internal IReadOnlyList<string>? Kinds(string split, int? most)
    {
        if (!EmbeddedDatasets.Contains(source.Name) || source.Splits[split].Features.GetValueOrDefault("kind") is not ClassLabel kinds) return null;
        var numbers = source.Chosen(split, most).Column<long?>("kind");
        return [.. source.Rows(split, most)!.RowNumbers.Select(row => kinds.NameOf(numbers[row] ?? 0))];
    }
}
