using Attune.Native;

namespace Attune.Kernels;

/// <summary>Loops over the processor's cores.</summary>
internal static class CpuLoop
{
    /// <summary>Below so many elementary operations a loop stays on its own thread: waking another costs more.</summary>
    private const long WorthSharing = 1 << 15;

    /// <summary>Elements that stay together: stretches begin at multiples of it.</summary>
    private const int Stretch = 1 << 14;

    /// <summary>Number of threads that libtorch uses, and so do the loops here.</summary>
    internal static int Threads => LibTorch.Threads;

    /// <summary>Cuts 0 to <paramref name="count"/> into one contiguous piece for each thread, the same pieces for the same count.</summary>
    /// <param name="count">Number of items.</param>
    /// <param name="operationsPerItem">Roughly, to decide whether sharing is worth it.</param>
    /// <param name="body">Is called with the number of the piece, its first item, and the item after its last.</param>
    internal static void Pieces(int count, long operationsPerItem, Action<int, int, int> body)
    {
        var pieces = PieceCount(count, operationsPerItem);
        if (pieces == 1) body(0, 0, count);
        else Parallel.For(0, pieces, piece => body(piece, Start(piece), Start(piece + 1)));

        int Start(int piece) => (int)((long)count * piece / pieces);
    }

    /// <summary>Into how many pieces <see cref="Pieces"/> cuts.</summary>
    internal static int PieceCount(int count, long operationsPerItem) =>
        count * operationsPerItem < WorthSharing ? 1 : Math.Max(1, Math.Min(Threads, count));

    /// <summary>Cuts many elements that are worked off alike into one stretch for each thread.</summary>
    /// <param name="count">Number of elements.</param>
    /// <param name="operationsPerElement">As in <see cref="Pieces"/>.</param>
    /// <param name="body">Is called with the first element and the one after the last.</param>
    internal static void Stretches(long count, int operationsPerElement, Action<long, long> body) =>
        Pieces(checked((int)((count + Stretch - 1) / Stretch)), (long)operationsPerElement * Stretch,
            (_, from, to) => body((long)from * Stretch, Math.Min((long)to * Stretch, count)));

    /// <summary>Runs items of unequal length; each thread takes the next that is left.</summary>
    internal static void Items(int count, long operations, Action<int> body)
    {
        var threads = operations < WorthSharing ? 1 : Math.Min(Threads, count);
        if (threads <= 1)
        {
            for (var item = 0; item < count; item++) body(item);
            return;
        }

        var next = -1;
        Parallel.For(0, threads, _ =>
        {
            for (int item; (item = Interlocked.Increment(ref next)) < count;) body(item);
        });
    }
}
