namespace Attune.Distributed;

/// <summary>Which process owns which part of numbers that lie one after the other.</summary>
/// <param name="Starts">First number of each process's part, and the number of all at the end.</param>
internal sealed record Shards(IReadOnlyList<long> Starts)
{
    /// <summary>Parts of one size, or nearly.</summary>
    internal static Shards Even(long count, int processes) => new([.. Enumerable.Range(0, processes + 1).Select(rank => (long)((Int128)count * rank / processes))]);

    internal long First(int rank) => Starts[rank];

    internal long Count(int rank) => Starts[rank + 1] - Starts[rank];

    /// <summary>The part of a process, of numbers that are counted by an int.</summary>
    internal Range Of(int rank) => checked((int)First(rank)..(int)First(rank + 1));

    /// <summary>The largest part.</summary>
    internal long Longest => Enumerable.Range(0, Starts.Count - 1).Max(Count);

    /// <summary>What a range has of each part, counted from its beginning.</summary>
    internal Shards Within(long first, long count) => new([.. Starts.Select(start => Math.Clamp(start - first, 0, count))]);
}
