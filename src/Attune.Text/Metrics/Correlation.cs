namespace Attune.Metrics;

/// <summary>Correlations of two rows of numbers, −1 to 1; as scipy defines them. Not a number where one of them is constant.</summary>
public static class Correlation
{
    /// <summary>Pearson's correlation: how well a straight line describes the relation.</summary>
    public static double Pearson(ReadOnlySpan<double> first, ReadOnlySpan<double> second)
    {
        RefuseUnequal(first, second);
        if (IsConstant(first) || IsConstant(second)) return double.NaN;
        var (firstMean, secondMean) = (Mean(first), Mean(second));
        double together = 0, firstSquares = 0, secondSquares = 0;
        for (var i = 0; i < first.Length; i++)
        {
            var (x, y) = (first[i] - firstMean, second[i] - secondMean);
            together += x * y;
            firstSquares += x * x;
            secondSquares += y * y;
        }
        return Math.Clamp(together / (Math.Sqrt(firstSquares) * Math.Sqrt(secondSquares)), -1, 1);
    }

    /// <summary>Spearman's correlation: Pearson's of the ranks, equal values sharing the mean of their ranks.</summary>
    public static double Spearman(ReadOnlySpan<double> first, ReadOnlySpan<double> second) => Pearson(Ranks(first), Ranks(second));

    /// <summary>Kendall's tau-b: pairs in the same order less pairs in opposite order, corrected for equal values.</summary>
    /// <remarks>Counts by merging, in n log n steps (Knight, 1966).</remarks>
    public static double KendallTau(ReadOnlySpan<double> first, ReadOnlySpan<double> second)
    {
        RefuseUnequal(first, second);
        if (HasNaN(first) || HasNaN(second)) return double.NaN;
        var rows = new (double X, double Y)[first.Length];
        for (var i = 0; i < rows.Length; i++) rows[i] = (first[i], second[i]);
        Array.Sort(rows);
        var bothEqual = EqualPairs(rows, (a, b) => a == b);
        var firstEqual = EqualPairs(rows, (a, b) => a.X == b.X);
        var values = Array.ConvertAll(rows, row => row.Y);
        var opposite = SortCountingSwaps(values, new double[values.Length]);
        var secondEqual = EqualPairs(values, (a, b) => a == b);
        var pairs = first.Length * (first.Length - 1L) / 2;
        double same = pairs - firstEqual - secondEqual + bothEqual - opposite;
        return (same - opposite) / (Math.Sqrt(pairs - firstEqual) * Math.Sqrt(pairs - secondEqual));
    }

    internal static double Mean(ReadOnlySpan<double> values)
    {
        var sum = 0.0;
        foreach (var value in values) sum += value;
        return sum / values.Length;
    }

    internal static void RefuseUnequal(ReadOnlySpan<double> first, ReadOnlySpan<double> second)
    {
        if (first.Length != second.Length)
            throw new ArgumentException($"There are {first.Length} values on one side and {second.Length} on the other.", nameof(second));
    }

    private static double[] Ranks(ReadOnlySpan<double> values)
    {
        var ranks = new double[values.Length];
        if (HasNaN(values))
        {
            Array.Fill(ranks, double.NaN);
            return ranks;
        }
        var sorted = values.ToArray();
        var places = Enumerable.Range(0, sorted.Length).ToArray();
        Array.Sort(sorted, places);
        for (int start = 0, end; start < sorted.Length; start = end)
        {
            for (end = start + 1; end < sorted.Length && sorted[end] == sorted[start];) end++;
            for (var i = start; i < end; i++) ranks[places[i]] = (start + end + 1) / 2.0;
        }
        return ranks;
    }

    // Rounding of the mean would make the variance of a constant slightly more than 0.
    private static bool IsConstant(ReadOnlySpan<double> values) => values.Length < 2 || !values.ContainsAnyExcept(values[0]);

    private static bool HasNaN(ReadOnlySpan<double> values)
    {
        foreach (var value in values)
            if (double.IsNaN(value)) return true;
        return false;
    }

    private static long EqualPairs<T>(T[] sorted, Func<T, T, bool> equal)
    {
        long pairs = 0, run = 0;
        for (var i = 1; i < sorted.Length; i++)
        {
            run = equal(sorted[i - 1], sorted[i]) ? run + 1 : 0;
            pairs += run;
        }
        return pairs;
    }

    private static long SortCountingSwaps(Span<double> values, Span<double> space)
    {
        if (values.Length < 2) return 0;
        var middle = values.Length / 2;
        var swaps = SortCountingSwaps(values[..middle], space) + SortCountingSwaps(values[middle..], space);
        values.CopyTo(space);
        for (int left = 0, right = middle, to = 0; to < values.Length; to++)
        {
            if (right == values.Length || (left < middle && space[left] <= space[right])) values[to] = space[left++];
            else
            {
                values[to] = space[right++];
                swaps += middle - left;
            }
        }
        return swaps;
    }
}
