using System.Runtime.InteropServices;

namespace Attune.Datasets;

/// <summary>What is odd about the texts of the splits as a whole: texts without a word, and texts that stand in the training split and in another too.</summary>
internal static class TextChecks
{
    /// <summary>A line for each thing to be told.</summary>
    internal static IEnumerable<string> Of(DatasetDict splits, ClassificationColumns columns)
    {
        foreach (var (name, rows) in splits)
            if (Empty(name, rows, columns.TextColumns) is { } empty) yield return empty;
        if (!splits.TryGetValue(DatasetDict.Train, out var train)) yield break;
        foreach (var (name, rows) in splits)
            if (name != DatasetDict.Train && Shared(train, name, rows, columns.TextColumns) is { } shared) yield return shared;
    }

    private static string? Empty(string split, Dataset rows, IReadOnlyList<string> columns)
    {
        var (count, first) = (0, -1);
        foreach (var column in columns)
        {
            if (Texts(rows, column) is not { } texts) continue;
            for (var row = 0; row < rows.NumRows; row++)
            {
                if (texts[row] is not { } text || !string.IsNullOrWhiteSpace(text)) continue;
                if (count++ == 0 || row < first) first = row;
            }
        }
        return count == 0 ? null : $"Warning: {Count(count, "text")} of the split {split} {(count == 1 ? "is" : "are")} empty (the first: {rows.PlaceOf(first)}); " +
            "they are used as they are: fill them in, or remove the rows.";
    }

    /// <summary>Tells how many rows of a split have their texts in common with a training row. Texts are compared whole, found by their hashes.</summary>
    private static string? Shared(Dataset train, string split, Dataset rows, IReadOnlyList<string> columns)
    {
        var trained = columns.Select(column => Texts(train, column)).ToArray();
        var others = columns.Select(column => Texts(rows, column)).ToArray();
        if (trained.Contains(null) || others.Contains(null)) return null;
        // One row stands for all with its texts, until a training row has them: else texts that stand there often would take the square of the time.
        var (known, alike) = (new Dictionary<ulong, List<int>>(), new int[rows.NumRows]);
        var filter = new Filter(rows.NumRows);
        for (var row = 0; row < rows.NumRows; row++)
        {
            if (Hash(others, row) is not { } hash) continue;
            filter.Add(hash);
            ref var sameHash = ref CollectionsMarshal.GetValueRefOrAddDefault(known, hash, out _);
            var same = IndexOf(sameHash ??= new(1), others, others, row);
            if (same < 0) sameHash.Add(row);
            alike[same < 0 ? row : sameHash[same]]++;
        }
        var (found, first) = (0, default((int Row, int Trained)));
        for (var row = 0; row < train.NumRows; row++)
        {
            if (Hash(trained, row) is not { } hash || !filter.MayHold(hash) || !known.TryGetValue(hash, out var candidates)) continue;
            var same = IndexOf(candidates, others, trained, row);
            if (same < 0) continue;
            if (found == 0) first = (candidates[same], row);
            found += alike[candidates[same]];
            candidates.RemoveAt(same);
        }
        return found == 0 ? null : $"Warning: {Count(found, "row")} of the {rows.NumRows} of the split {split} {(found == 1 ? "has" : "have")} a text that stands in {DatasetDict.Train} too " +
            $"(the first: {rows.PlaceOf(first.Row)}, and {train.PlaceOf(first.Trained)}); remove them from one of the splits, or results are better than they should be.";
    }

    private static IReadOnlyList<string?>? Texts(Dataset rows, string column) => rows.Get(column) is Column<string?> texts ? texts.Values : null;

    private static string Count(int count, string what) => $"{count} {what}{(count == 1 ? "" : "s")}";

    /// <summary>Which of some rows has the texts of a row of other columns; -1 for none.</summary>
    private static int IndexOf(List<int> candidates, IReadOnlyList<string?>?[] columns, IReadOnlyList<string?>?[] others, int row)
    {
        for (var i = 0; i < candidates.Count; i++)
            if (AreEqual(columns, candidates[i], others, row)) return i;
        return -1;
    }

    private static bool AreEqual(IReadOnlyList<string?>?[] first, int row, IReadOnlyList<string?>?[] second, int other)
    {
        for (var i = 0; i < first.Length; i++)
            if (first[i]![row] != second[i]![other]) return false;
        return true;
    }

    /// <summary>Of all texts of a row; null where one is missing.</summary>
    private static ulong? Hash(IReadOnlyList<string?>?[] columns, int row)
    {
        var hash = TextHash.Start;
        foreach (var column in columns)
        {
            if (column![row] is not { } text) return null;
            hash = TextHash.Add(hash, text);
        }
        return hash;
    }

    /// <summary>Says of most hashes at once that they are not among those added.</summary>
    private sealed class Filter(int count)
    {
        private const int BitsForEach = 16;
        private readonly ulong[] _bits = new ulong[Math.Max(1, (int)Math.Min((long)count * BitsForEach / 64 + 1, 1 << 24))];

        internal void Add(ulong hash) => _bits[Place(hash)] |= 1UL << (int)(hash & 63);

        internal bool MayHold(ulong hash) => (_bits[Place(hash)] >> (int)(hash & 63) & 1) != 0;

        private int Place(ulong hash) => (int)((hash >> 6) % (ulong)_bits.Length);
    }
}
