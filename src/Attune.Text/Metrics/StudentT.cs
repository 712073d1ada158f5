namespace Attune.Metrics;

/// <summary>Student's t distribution.</summary>
internal static class StudentT
{
    /// <summary>The value that |t| does not exceed with this probability.</summary>
    /// <param name="probability">Above 0 and below 1, for instance 0.95.</param>
    /// <param name="degrees">Degrees of freedom, at least 1.</param>
    internal static double TwoSided(double probability, int degrees)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(degrees, 1);
        double low = 0, high = 1;
        while (Inside(high, degrees) < probability) high *= 2;
        for (var i = 0; i < 200 && high - low > 1e-12 * high; i++)
        {
            var middle = (low + high) / 2;
            if (Inside(middle, degrees) < probability) low = middle;
            else high = middle;
        }
        return (low + high) / 2;
    }

    /// <summary>The probability that |t| does not exceed a value: 1 - I(d / (d + t²); d/2, 1/2) (Abramowitz and Stegun, 26.7.1 and 26.5.27).</summary>
    private static double Inside(double t, int degrees) => 1 - Beta(degrees / (degrees + t * t), degrees / 2.0, 0.5);

    /// <summary>The regularised incomplete beta function, by its continued fraction (Abramowitz and Stegun, 26.5.8).</summary>
    private static double Beta(double x, double a, double b)
    {
        if (x is <= 0 or >= 1) return Math.Clamp(x, 0, 1);
        // The fraction converges fast below this point; above it the complement is computed.
        if (x > (a + 1) / (a + b + 2)) return 1 - Beta(1 - x, b, a);
        var front = Math.Exp(LogGamma(a + b) - LogGamma(a) - LogGamma(b) + a * Math.Log(x) + b * Math.Log(1 - x)) / a;
        return front * Fraction(x, a, b);
    }

    /// <summary>The fraction by the method of Lentz.</summary>
    private static double Fraction(double x, double a, double b)
    {
        const double tiny = 1e-300;
        double c = 1, d = 1 / NotZero(1 - (a + b) * x / (a + 1)), value = d;
        for (var m = 1; m < 500; m++)
        {
            var even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
            d = 1 / NotZero(1 + even * d);
            c = NotZero(1 + even / c);
            value *= d * c;
            var odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
            d = 1 / NotZero(1 + odd * d);
            c = NotZero(1 + odd / c);
            value *= d * c;
            if (Math.Abs(d * c - 1) < 1e-15) break;
        }
        return value;

        static double NotZero(double number) => Math.Abs(number) < tiny ? tiny : number;
    }

    /// <summary>ln Γ(x) for x above 0: Stirling's series (Abramowitz and Stegun, 6.1.41) from 12 on, and by Γ(x + 1) = x Γ(x) below.</summary>
    private static double LogGamma(double x)
    {
        var below = 0.0;
        for (; x < 12; x++) below += Math.Log(x);
        var square = x * x;
        return (x - 0.5) * Math.Log(x) - x + 0.5 * Math.Log(2 * Math.PI)
            + (1.0 / 12 - (1.0 / 360 - (1.0 / 1260 - 1.0 / 1680 / square) / square) / square) / x - below;
    }
}
