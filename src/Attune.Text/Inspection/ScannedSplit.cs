using Attune.Datasets;
using Attune.Formats;
using Attune.Tokenization;

namespace Attune.Inspection;

/// <summary>A split after one way through its texts: some bytes of each row, and no text.</summary>
internal sealed class ScannedSplit
{
    private const int CharactersInBlock = 1 << 22;                          // as training tokenizes large files: 8 MB of text at a time
    private static readonly EncodeOptions Whole = new() { Truncation = TruncationStrategy.DoNotTruncate };

    private ScannedSplit(string name, Dataset data, ClassificationRows rows)
    {
        (Name, Data, Rows) = (name, data, rows);
        (Tokens, Words, Unknown, Keys, Scripts, Languages) =
            (new int[rows.Count], new int[rows.Count], new int[rows.Count], new ulong[rows.Count], new Script[rows.Count], new sbyte[rows.Count]);
    }

    internal string Name { get; }

    internal Dataset Data { get; }

    internal ClassificationRows Rows { get; }

    /// <summary>Tokens of each row, special tokens included, nothing cut.</summary>
    internal int[] Tokens { get; }

    /// <summary>Words of each row: of a pair those of both texts, or of the text that has fewer where that is one or none.</summary>
    internal int[] Words { get; }

    /// <summary>Tokens of each row that stand for unknown words.</summary>
    internal int[] Unknown { get; }

    /// <summary>As <see cref="TextKey"/> has them.</summary>
    internal ulong[] Keys { get; }

    internal Script[] Scripts { get; }

    internal sbyte[] Languages { get; }

    /// <summary>Goes through the texts of a split once, block by block, on all cores.</summary>
    internal static ScannedSplit Of(string name, Dataset data, ClassificationColumns columns, Tokenizer tokenizer)
    {
        var split = new ScannedSplit(name, data, columns.Rows(data, name));
        var (texts, pairs) = (split.Rows.Texts, split.Rows.Pairs);
        if (texts.Count == 0) throw new AttuneException($"The split \"{name}\" has no row that can be used; mend its rows, or leave the split out.");
        for (var row = 0; row < texts.Count;)
        {
            var (from, first, second) = (row, new List<string>(), pairs is null ? null : new List<string>());
            for (var characters = 0L; row < texts.Count && characters < CharactersInBlock; row++)
            {
                first.Add(texts[row]);
                second?.Add(pairs![row]);
                characters += first[^1].Length + (second?[^1].Length ?? 0);
            }
            split.Scan(from, first, second, tokenizer);
        }
        return split;
    }

    private void Scan(int from, List<string> first, List<string>? second, Tokenizer tokenizer)
    {
        var encoded = tokenizer.EncodePacked(first, second, Whole);
        new RowParts(first.Count, row => first[row].Length + (second?[row].Length ?? 0)).Run(null, (start, end) =>
        {
            for (var row = start; row < end; row++)
            {
                var ids = encoded.Row(row);
                var scan = RowScan.Of(first[row]);
                (Tokens[from + row], Unknown[from + row], Words[from + row]) = (ids.Length, ids.Count(tokenizer.UnkId), scan.Words);
                (Scripts[from + row], Languages[from + row]) = (scan.Script, (sbyte)scan.Language);
                Keys[from + row] = TextKey.Of(first[row], second?[row]);
                if (second is null) continue;
                var other = RowScan.Of(second[row]);
                var least = Math.Min(scan.Words, other.Words);
                Words[from + row] = least < 2 ? least : scan.Words + other.Words;
                if (scan.Script == Script.None) Scripts[from + row] = other.Script;
                if (scan.Language < 0) Languages[from + row] = (sbyte)other.Language;
            }
        });
    }

    /// <summary>Equal for rows with equal labels; null for those without.</summary>
    internal string? LabelKey(int row, IReadOnlyList<string> classes) => Rows switch
    {
        { Classes: { } numbers } => classes[(int)numbers[row]],
        { ClassSets: { } sets } => string.Join(", ", sets[row].Select(label => classes[label])),
        { Targets: { } targets } => targets[row].ToString(System.Globalization.CultureInfo.InvariantCulture),
        _ => null,
    };

    /// <summary>A row as people find it.</summary>
    internal ExampleRow Example(int row, IReadOnlyList<string> classes)
    {
        const int longest = 300;
        var text = Rows.Pairs is { } pairs ? $"{Rows.Texts[row]} | {pairs[row]}" : Rows.Texts[row];
        return new ExampleRow(Name, Data.PlaceOf(Rows.RowNumbers[row]).ToString(), ShortText.Of(text, longest), LabelKey(row, classes));
    }
}
