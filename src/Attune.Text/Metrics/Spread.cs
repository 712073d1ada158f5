namespace Attune.Metrics;

/// <summary>The mean of several runs' values and how far they lie apart.</summary>
/// <param name="Runs">Number of values.</param>
/// <param name="Mean">Their mean.</param>
/// <param name="Deviation">Their standard deviation, by Runs - 1; null for a single value.</param>
internal sealed record Spread(int Runs, double Mean, double? Deviation)
{
    private const double Confidence = 0.95;

    /// <summary>Half the width of the interval that holds the true mean in 95 of 100 cases, by Student's t; null for a single value.</summary>
    internal double? HalfWidth => Deviation * StudentT.TwoSided(Confidence, Math.Max(1, Runs - 1)) / Math.Sqrt(Runs);

    /// <summary>Of some values.</summary>
    internal static Spread Of(IReadOnlyCollection<double> values)
    {
        var mean = values.Average();
        return new Spread(values.Count, mean, values.Count < 2 ? null : Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Count - 1)));
    }
}
