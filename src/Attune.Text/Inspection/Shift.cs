using System.Numerics;

namespace Attune.Inspection;

/// <summary>How far two splits are apart, and whether that can be chance.</summary>
internal static class Shift
{
    private const double Alpha = 0.001, NormalAtAlpha = 3.0902;             // one-sided

    /// <summary>The two-sample statistic of Kolmogorov and Smirnov: the greatest difference of the shares of values up to a value.</summary>
    /// <param name="first">In ascending order, at least one.</param>
    /// <param name="second">The same.</param>
    internal static double Distance<T>(ReadOnlySpan<T> first, ReadOnlySpan<T> second) where T : INumber<T>
    {
        var (i, j, most) = (0, 0, 0.0);
        while (i < first.Length && j < second.Length)
        {
            var value = T.Min(first[i], second[j]);
            while (i < first.Length && first[i] == value) i++;
            while (j < second.Length && second[j] == value) j++;
            most = Math.Max(most, Math.Abs((double)i / first.Length - (double)j / second.Length));
        }
        return most;
    }

    /// <summary>The distance that chance exceeds once in a thousand times (Smirnov 1948, for large samples).</summary>
    internal static double CriticalDistance(int first, int second) => Math.Sqrt(-Math.Log(Alpha / 2) / 2 * (1.0 / first + 1.0 / second));

    /// <summary>Half the sum of the differences of the shares: what part of the rows would need another class.</summary>
    internal static double TotalVariation(IReadOnlyList<int> first, IReadOnlyList<int> second)
    {
        double allFirst = first.Sum(), allSecond = second.Sum();
        return first.Zip(second, (one, other) => Math.Abs(one / allFirst - other / allSecond)).Sum() / 2;
    }

    /// <summary>Whether two distributions differ more than once in a thousand times by chance: Pearson's chi-square, its tail by Wilson and Hilferty (1931).</summary>
    internal static bool DifferSurely(IReadOnlyList<int> first, IReadOnlyList<int> second)
    {
        double allFirst = first.Sum(), allSecond = second.Sum(), sum = 0;
        var classes = 0;
        foreach (var (one, other) in first.Zip(second))
        {
            double both = one + other;
            if (both == 0) continue;
            classes++;
            var (expectedFirst, expectedSecond) = (both * allFirst / (allFirst + allSecond), both * allSecond / (allFirst + allSecond));
            sum += Square(one - expectedFirst) / expectedFirst + Square(other - expectedSecond) / expectedSecond;
        }
        if (classes < 2) return false;
        var spread = 2.0 / (9 * (classes - 1));
        return (Math.Cbrt(sum / (classes - 1)) - (1 - spread)) / Math.Sqrt(spread) > NormalAtAlpha;
    }

    private static double Square(double value) => value * value;
}
