namespace Attune.Inspection;

/// <summary>The lengths of a split's rows in ascending order: all, and those of each class.</summary>
internal sealed class SortedLengths
{
    private readonly int[] _byClass;
    private readonly int[] _starts;                                         // of each class in it

    private SortedLengths(ScannedSplit split, int classes)
    {
        (Tokens, Words) = (Sorted(split.Tokens), Sorted(split.Words));
        _starts = new int[classes + 1];
        foreach (var (_, label) in Labels(split)) _starts[label + 1]++;
        for (var i = 0; i < classes; i++) _starts[i + 1] += _starts[i];
        _byClass = new int[_starts[classes]];
        var next = _starts[..classes];
        foreach (var (row, label) in Labels(split)) _byClass[next[label]++] = split.Tokens[row];
        for (var i = 0; i < classes; i++) _byClass.AsSpan(_starts[i].._starts[i + 1]).Sort();
    }

    internal static SortedLengths Of(ScannedSplit split, int classes) => new(split, classes);

    internal int[] Tokens { get; }

    internal int[] Words { get; }

    /// <summary>How far a histogram should reach: to the longest row, or to where 99 of 100 rows end where the longest is much longer.</summary>
    internal int UpTo
    {
        get
        {
            var most = Tokens[(int)((Tokens.Length - 1) * 0.99)];
            return Tokens[^1] > 2 * most ? most : Tokens[^1];
        }
    }

    /// <summary>Tokens of the rows of a class.</summary>
    internal ReadOnlySpan<int> OfClass(int number) => _byClass.AsSpan(_starts[number].._starts[number + 1]);

    /// <summary>How many of the lengths are above a limit.</summary>
    internal static int Above(ReadOnlySpan<int> sorted, int? limit)
    {
        if (limit is not { } most) return 0;
        var (low, high) = (0, sorted.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (sorted[middle] > most) high = middle;
            else low = middle + 1;
        }
        return sorted.Length - low;
    }

    private static int[] Sorted(int[] values)
    {
        var sorted = (int[])values.Clone();
        sorted.AsSpan().Sort();
        return sorted;
    }

    private static IEnumerable<(int Row, int Label)> Labels(ScannedSplit split)
    {
        for (var row = 0; row < split.Rows.Count; row++)
        {
            if (split.Rows.Classes is { } numbers) yield return (row, (int)numbers[row]);
            foreach (var label in split.Rows.ClassSets?[row] ?? []) yield return (row, label);
        }
    }
}
