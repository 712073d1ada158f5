using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Attune.Kernels;

/// <summary>One tile of a product: 12 lines of two vectors, which fill 24 of the 32 registers while the depth runs through.</summary>
internal static unsafe class GemmTile
{
    /// <summary>Lines of a tile.</summary>
    internal const int Lines = 12;

    /// <summary>Columns of a tile.</summary>
    internal const int Columns = 32;

    private const int Width = 16;                                          // floats of a vector

    /// <summary>Computes a tile.</summary>
    /// <param name="depth">K.</param>
    /// <param name="a">(K,12), contiguous.</param>
    /// <param name="b">(K,32), contiguous.</param>
    /// <param name="tile">Receives (12,32), contiguous.</param>
    // Optimised at once: the loop is all there is to learn about it, and the first tiers would spill the registers.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Multiply(int depth, float* a, float* b, float* tile)
    {
        Vector512<float> c00 = default, c01 = default, c10 = default, c11 = default, c20 = default, c21 = default, c30 = default, c31 = default;
        Vector512<float> c40 = default, c41 = default, c50 = default, c51 = default, c60 = default, c61 = default, c70 = default, c71 = default;
        Vector512<float> c80 = default, c81 = default, c90 = default, c91 = default, ca0 = default, ca1 = default, cb0 = default, cb1 = default;
        for (var p = 0; p < depth; p++, a += Lines, b += Columns)
        {
            Vector512<float> b0 = Vector512.Load(b), b1 = Vector512.Load(b + Width), x = Vector512.Create(a[0]);
            c00 = Vector512.FusedMultiplyAdd(x, b0, c00);
            c01 = Vector512.FusedMultiplyAdd(x, b1, c01);
            x = Vector512.Create(a[1]);
            c10 = Vector512.FusedMultiplyAdd(x, b0, c10);
            c11 = Vector512.FusedMultiplyAdd(x, b1, c11);
            x = Vector512.Create(a[2]);
            c20 = Vector512.FusedMultiplyAdd(x, b0, c20);
            c21 = Vector512.FusedMultiplyAdd(x, b1, c21);
            x = Vector512.Create(a[3]);
            c30 = Vector512.FusedMultiplyAdd(x, b0, c30);
            c31 = Vector512.FusedMultiplyAdd(x, b1, c31);
            x = Vector512.Create(a[4]);
            c40 = Vector512.FusedMultiplyAdd(x, b0, c40);
            c41 = Vector512.FusedMultiplyAdd(x, b1, c41);
            x = Vector512.Create(a[5]);
            c50 = Vector512.FusedMultiplyAdd(x, b0, c50);
            c51 = Vector512.FusedMultiplyAdd(x, b1, c51);
            x = Vector512.Create(a[6]);
            c60 = Vector512.FusedMultiplyAdd(x, b0, c60);
            c61 = Vector512.FusedMultiplyAdd(x, b1, c61);
            x = Vector512.Create(a[7]);
            c70 = Vector512.FusedMultiplyAdd(x, b0, c70);
            c71 = Vector512.FusedMultiplyAdd(x, b1, c71);
            x = Vector512.Create(a[8]);
            c80 = Vector512.FusedMultiplyAdd(x, b0, c80);
            c81 = Vector512.FusedMultiplyAdd(x, b1, c81);
            x = Vector512.Create(a[9]);
            c90 = Vector512.FusedMultiplyAdd(x, b0, c90);
            c91 = Vector512.FusedMultiplyAdd(x, b1, c91);
            x = Vector512.Create(a[10]);
            ca0 = Vector512.FusedMultiplyAdd(x, b0, ca0);
            ca1 = Vector512.FusedMultiplyAdd(x, b1, ca1);
            x = Vector512.Create(a[11]);
            cb0 = Vector512.FusedMultiplyAdd(x, b0, cb0);
            cb1 = Vector512.FusedMultiplyAdd(x, b1, cb1);
        }
        StoreLine(tile, 0, c00, c01);
        StoreLine(tile, 1, c10, c11);
        StoreLine(tile, 2, c20, c21);
        StoreLine(tile, 3, c30, c31);
        StoreLine(tile, 4, c40, c41);
        StoreLine(tile, 5, c50, c51);
        StoreLine(tile, 6, c60, c61);
        StoreLine(tile, 7, c70, c71);
        StoreLine(tile, 8, c80, c81);
        StoreLine(tile, 9, c90, c91);
        StoreLine(tile, 10, ca0, ca1);
        StoreLine(tile, 11, cb0, cb1);
    }

    /// <summary>Puts a tile where it belongs.</summary>
    /// <param name="tile">(12,32), contiguous.</param>
    /// <param name="to">Receives its first lines and columns.</param>
    /// <param name="step">From one line of <paramref name="to"/> to the next.</param>
    /// <param name="lines">How many lines.</param>
    /// <param name="columns">How many columns.</param>
    /// <param name="accumulate">Whether it is added.</param>
    /// <param name="pastCache">Whether it goes to memory past the caches; only where each line starts at a multiple of 64 bytes.</param>
    /// <returns>Sum of the squares of what stands there now.</returns>
    internal static double Store(float* tile, float* to, long step, int lines, int columns, bool accumulate, bool pastCache)
    {
        if (columns < Columns) return StoreNarrow(tile, to, step, lines, columns, accumulate);
        Vector512<float> squares0 = default, squares1 = default;
        for (var i = 0; i < lines; i++, tile += Columns, to += step)
        {
            Vector512<float> x0 = Vector512.Load(tile), x1 = Vector512.Load(tile + Width);
            if (accumulate) (x0, x1) = (x0 + Vector512.Load(to), x1 + Vector512.Load(to + Width));
            squares0 = Vector512.FusedMultiplyAdd(x0, x0, squares0);
            squares1 = Vector512.FusedMultiplyAdd(x1, x1, squares1);
            if (pastCache)
            {
                x0.StoreAlignedNonTemporal(to);
                x1.StoreAlignedNonTemporal(to + Width);
                continue;
            }
            x0.Store(to);
            x1.Store(to + Width);
        }
        return Vector512.Sum(squares0 + squares1);
    }

    private static double StoreNarrow(float* tile, float* to, long step, int lines, int columns, bool accumulate)
    {
        var squares = 0.0;
        for (var i = 0; i < lines; i++, tile += Columns, to += step)
            for (var j = 0; j < columns; j++)
            {
                to[j] = accumulate ? to[j] + tile[j] : tile[j];
                squares += (double)to[j] * to[j];
            }
        return squares;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreLine(float* tile, int line, Vector512<float> x0, Vector512<float> x1)
    {
        x0.Store(tile + line * Columns);
        x1.Store(tile + line * Columns + Width);
    }
}
