namespace Attune.Benchmarks;

internal static class Statistics
{
    /// <summary>The middle value: what remains of a series when some of its measurements were disturbed.</summary>
    internal static double Median(List<double> values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
