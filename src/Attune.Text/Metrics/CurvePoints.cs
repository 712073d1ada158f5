namespace Attune.Metrics;

/// <summary>The points of a curve.</summary>
internal static class CurvePoints
{
    /// <summary>At most so many, evenly spread, with the first and the last.</summary>
    /// <param name="all">All points.</param>
    /// <param name="most">At least 2.</param>
    internal static IReadOnlyList<T> Thinned<T>(IReadOnlyList<T> all, int most)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 2);
        return all.Count <= most ? all : [.. Enumerable.Range(0, most).Select(i => all[(int)((long)i * (all.Count - 1) / (most - 1))])];
    }
}
