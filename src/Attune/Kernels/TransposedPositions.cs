using System.Numerics;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Kernels;

// Legend: P buckets of relative positions, S = P and a vector's length more, H hidden size.

/// <summary>Keys and queries of relative positions with the positions along the lines, as products with tokens read them: once for all rows of a batch.</summary>
internal sealed unsafe class TransposedPositions : IDisposable
{
    private const int Block = 16;                                          // floats of a cache line

    private readonly Tensor? _keys, _queries;

    internal TransposedPositions(RelativeScores scores, int hidden)
    {
        Step = scores.Buckets + Vector<float>.Count;
        if (scores.Keys is { } keys) _keys = Transpose(keys, scores.Buckets, hidden);
        if (scores.Queries is { } queries) _queries = Transpose(queries, scores.Buckets, hidden);
    }

    /// <summary>S, from one line to the next.</summary>
    internal int Step { get; }

    /// <summary>(H,S), from a line on.</summary>
    internal float* Keys(int line) => LibTorch.Floats(_keys!) + (long)line * Step;

    /// <summary>(H,S), from a line on.</summary>
    internal float* Queries(int line) => LibTorch.Floats(_queries!) + (long)line * Step;

    public void Dispose()
    {
        _keys?.Dispose();
        _queries?.Dispose();
    }

    private Tensor Transpose(PackedAttention.Matrix from, int positions, int hidden)
    {
        var result = LibTorch.Empty(hidden, Step);
        var (to, step) = ((nint)LibTorch.Floats(result), Step);
        CpuLoop.Pieces((hidden + Block - 1) / Block, 2L * Block * positions, (_, first, end) =>
        {
            for (int column = first * Block, last = Math.Min(end * Block, hidden); column < last; column += Block)
            {
                var columns = Math.Min(Block, last - column);
                for (var p = 0; p < positions; p++)
                    for (var c = column; c < column + columns; c++) ((float*)to)[(long)c * step + p] = *from.At(p, c);
                for (var c = column; c < column + columns; c++) new Span<float>((float*)to + (long)c * step + positions, step - positions).Clear();
            }
        });
        return result;
    }
}
