namespace Attune.Metrics;

/// <summary>
/// The confidence interval of a share, such as an accuracy, from how many rows it was counted (Wilson 1927, "Probable inference, the law of succession, and
/// statistical inference"). Unlike the usual mean ± deviation it never leaves 0 to 1, and it is wide where there are few rows or all are right.
/// </summary>
/// <remarks>(p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n), where z holds 95 of 100 cases of the normal distribution.</remarks>
public static class WilsonInterval
{
    private const double Z = 1.959963984540054;                            // 97.5 of 100 cases of the normal distribution lie below

    /// <summary>Of counted rows.</summary>
    /// <param name="hits">Rows that count, such as those that are right.</param>
    /// <param name="rows">All rows.</param>
    /// <returns>0 to 1 where there are no rows.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer rows than hits, or a number is negative.</exception>
    public static Interval Of(long hits, long rows)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(hits);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(hits, rows);
        if (rows == 0) return new Interval(0, 1);
        double n = rows, share = hits / n, square = Z * Z / n;
        var (middle, half) = (share + square / 2, Z * Math.Sqrt(share * (1 - share) / n + square / (4 * n)));
        // At the ends the two are equal but for rounding.
        return new Interval(hits == 0 ? 0 : (middle - half) / (1 + square), hits == rows ? 1 : (middle + half) / (1 + square));
    }
}
