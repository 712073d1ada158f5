using System.Numerics;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Checkpoints;

/// <summary>A second place in memory for weights and optimizer state, so that they can be written while training changes the first.</summary>
/// <remarks>The memory is kept from one copy to the next: a fresh page costs more than copying onto it.</remarks>
internal sealed unsafe class StateCopy : IDisposable
{
    /// <summary>Share of the free memory that a copy may take.</summary>
    private const double Usable = 0.75;

    private readonly List<Tensor> _tensors = [];

    /// <summary>Copies flat float32 tensors, in as many threads as compute.</summary>
    /// <param name="live">Address of the first element and number of elements of each; the same numbers each time.</param>
    /// <returns>Where the copies are, valid until the next call; null where there is not enough memory for them.</returns>
    internal IReadOnlyList<nint>? Take(IReadOnlyList<(nint Address, long Count)> live)
    {
        if (_tensors.Count == 0)
        {
            if (live.Sum(tensor => tensor.Count * sizeof(float)) > Usable * FreeMemory.Bytes()) return null;
            try
            {
                foreach (var (_, count) in live) _tensors.Add(LibTorch.Empty(count));
            }
            catch (AttuneException e) when (LibTorch.IsOutOfMemory(e))
            {
                Dispose();                                                  // a limit that the system does not tell of
                return null;
            }
        }
        var copies = _tensors.ConvertAll(tensor => (nint)LibTorch.Floats(tensor));
        var pieces = Pieces(live);
        Parallel.For(0, pieces.Count, new ParallelOptions { MaxDegreeOfParallelism = LibTorch.Threads }, i =>
        {
            var (tensor, first, count) = pieces[i];
            CopyPastCache((float*)live[tensor].Address + first, (float*)copies[tensor] + first, count);
        });
        return copies;
    }

    public void Dispose()
    {
        foreach (var tensor in _tensors) tensor.Dispose();
        _tensors.Clear();
    }

    /// <summary>What training needs next stays in the caches, and the copy's memory is not read before it is written.</summary>
    private static void CopyPastCache(float* from, float* to, int count)
    {
        var i = 0;
        if ((nuint)to % (nuint)sizeof(Vector<float>) == 0)
            for (; i <= count - Vector<float>.Count; i += Vector<float>.Count) Vector.StoreAlignedNonTemporal(Vector.Load(from + i), to + i);
        new Span<float>(from + i, count - i).CopyTo(new Span<float>(to + i, count - i));
    }

    private static List<(int Tensor, long First, int Count)> Pieces(IReadOnlyList<(nint Address, long Count)> live)
    {
        const int most = 1 << 22;
        List<(int, long, int)> pieces = [];
        for (var tensor = 0; tensor < live.Count; tensor++)
            for (var first = 0L; first < live[tensor].Count; first += most) pieces.Add((tensor, first, (int)Math.Min(most, live[tensor].Count - first)));
        return pieces;
    }
}
