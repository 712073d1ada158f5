using System.Runtime.InteropServices;

namespace Attune.Batching;

/// <summary>Batches that several processes compute in turn. Each batch is computed whole by one of them, so the results are the same bits however many there are.</summary>
/// <param name="rank">Number of this process, from 0.</param>
/// <param name="size">Number of processes.</param>
/// <param name="gather">What each of them says, by rank.</param>
internal sealed class BatchesInTurn(int rank, int size, Func<byte[], byte[][]> gather)
{
    /// <summary>Number of processes.</summary>
    internal int Size => size;

    /// <summary>Whether this process computes a batch.</summary>
    internal bool IsMine(int batch) => batch % size == rank;

    /// <summary>Puts what the others have computed into its place.</summary>
    /// <param name="values">Of all batches, one after the other; those of this process are there.</param>
    /// <param name="starts">The first value of each batch, and the number of all at the end.</param>
    internal void Collect<T>(T[] values, IReadOnlyList<int> starts) where T : unmanaged
    {
        if (size == 1) return;
        var mine = Enumerable.Range(0, starts.Count - 1).Where(IsMine).SelectMany(batch => values[starts[batch]..starts[batch + 1]]).ToArray();
        var (said, read) = (gather(MemoryMarshal.AsBytes<T>(mine).ToArray()), new int[size]);
        for (var batch = 0; batch < starts.Count - 1; batch++)
        {
            var (whose, count) = (batch % size, starts[batch + 1] - starts[batch]);
            MemoryMarshal.Cast<byte, T>(said[whose]).Slice(read[whose], count).CopyTo(values.AsSpan(starts[batch]));
            read[whose] += count;
        }
    }
}
