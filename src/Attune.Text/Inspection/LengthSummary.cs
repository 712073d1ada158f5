namespace Attune.Inspection;

/// <summary>How long the rows are, in tokens or words.</summary>
/// <param name="Mean">Their mean.</param>
/// <param name="Min">The shortest.</param>
/// <param name="P25">A quarter of the rows are at most so long.</param>
/// <param name="Median">Half of the rows are at most so long.</param>
/// <param name="P75">Three quarters of the rows are at most so long.</param>
/// <param name="P90">Of 100 rows 90 are at most so long.</param>
/// <param name="P95">Of 100 rows 95 are at most so long.</param>
/// <param name="P99">Of 100 rows 99 are at most so long.</param>
/// <param name="Max">The longest.</param>
public sealed record LengthSummary(double Mean, int Min, int P25, int Median, int P75, int P90, int P95, int P99, int Max)
{
    /// <summary>Of lengths in ascending order; at least one.</summary>
    internal static LengthSummary Of(ReadOnlySpan<int> sorted)
    {
        var sum = 0L;
        foreach (var length in sorted) sum += length;
        return new LengthSummary((double)sum / sorted.Length, sorted[0], At(sorted, 0.25), At(sorted, 0.5), At(sorted, 0.75), At(sorted, 0.9),
            At(sorted, 0.95), At(sorted, 0.99), sorted[^1]);
    }

    /// <summary>The least length that a share of the rows does not exceed (the nearest rank).</summary>
    private static int At(ReadOnlySpan<int> sorted, double share) => sorted[Math.Clamp((int)Math.Ceiling(share * sorted.Length) - 1, 0, sorted.Length - 1)];
}

/// <summary>Numbers of rows by length.</summary>
/// <param name="Width">Lengths that a bin takes: bin i those from i * Width up to (i + 1) * Width - 1.</param>
/// <param name="Rows">Rows of each bin.</param>
/// <param name="Longer">Rows longer than all bins: the last hundredth, where it would need most of the bins.</param>
public sealed record LengthHistogram(int Width, IReadOnlyList<int> Rows, int Longer)
{
    private const int MostBins = 40;

    /// <summary>Of lengths in ascending order.</summary>
    /// <param name="sorted">At least one.</param>
    /// <param name="upTo">The length up to which bins reach, so that several splits have the same.</param>
    internal static LengthHistogram Of(ReadOnlySpan<int> sorted, int upTo)
    {
        var width = 1;
        for (var i = 0; upTo / width >= MostBins; i++) width = i % 3 == 1 ? width / 2 * 5 : width * 2;     // 1, 2, 5, 10, 20, 50, ...
        var rows = new int[upTo / width + 1];
        var longer = 0;
        foreach (var length in sorted)
        {
            if (length / width < rows.Length) rows[length / width]++;
            else longer++;
        }
        return new LengthHistogram(width, rows, longer);
    }
}
