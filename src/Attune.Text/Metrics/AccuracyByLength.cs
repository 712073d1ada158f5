namespace Attune.Metrics;

/// <summary>The accuracy of rows of like length.</summary>
/// <param name="Shortest">Length of the shortest of them.</param>
/// <param name="Longest">Length of the longest.</param>
/// <param name="Rows">How many there are.</param>
/// <param name="Accuracy">Share of them that are right.</param>
/// <param name="Interval">Of the accuracy, by <see cref="WilsonInterval"/>.</param>
public readonly record struct LengthBucket(int Shortest, int Longest, int Rows, double Accuracy, Interval Interval);

/// <summary>Whether a model does worse on short or long texts.</summary>
public static class AccuracyByLength
{
    /// <summary>Puts rows into buckets of about the same number of rows by their length; rows of one length stay together.</summary>
    /// <param name="lengths">Of each row, for instance in tokens.</param>
    /// <param name="isRight">Whether the row is right, such as <see cref="EvalPrediction.IsRight"/>.</param>
    /// <param name="buckets">How many at most, at least 1. Default 8.</param>
    /// <returns>From the shortest rows to the longest.</returns>
    /// <exception cref="ArgumentException">The two differ in length.</exception>
    public static IReadOnlyList<LengthBucket> Of(ReadOnlySpan<int> lengths, ReadOnlySpan<bool> isRight, int buckets = 8)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(buckets, 1);
        if (lengths.Length != isRight.Length)
            throw new ArgumentException($"There are {lengths.Length} lengths and {isRight.Length} rows that are right or wrong.", nameof(isRight));
        var (sorted, right) = (lengths.ToArray(), isRight.ToArray());
        Array.Sort(sorted, right);
        var found = new List<LengthBucket>();
        for (var start = 0; start < sorted.Length;)
        {
            // What is left, shared out evenly over the buckets that are left.
            var wanted = (sorted.Length - start + buckets - found.Count - 1) / (buckets - found.Count);
            var end = start + wanted;
            while (end < sorted.Length && sorted[end] == sorted[end - 1]) end++;
            var hits = right.AsSpan(start..end).Count(true);
            found.Add(new LengthBucket(sorted[start], sorted[end - 1], end - start, (double)hits / (end - start), WilsonInterval.Of(hits, end - start)));
            start = end;
        }
        return found;
    }
}
