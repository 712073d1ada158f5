using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Attune.Kernels;

/// <summary>Copies parts of matrices into the order in which <see cref="GemmTile"/> reads them: for each step of the depth, one element of each line.</summary>
internal static unsafe class GemmPacking
{
    private const int Rows = 4, Block = 16;                                // what is transposed at a time: four lines, one vector deep

    /// <summary>Packs a group of lines; lines that are missing become zero.</summary>
    /// <param name="from">Element p of line i is at <c>from[i * lineStep + p * depthStep]</c>; one of the steps is 1.</param>
    /// <param name="lineStep">See <paramref name="from"/>.</param>
    /// <param name="depthStep">See <paramref name="from"/>.</param>
    /// <param name="lines">How many there are, at most <paramref name="width"/>.</param>
    /// <param name="depth">Elements of each.</param>
    /// <param name="to">Receives (depth, width).</param>
    /// <param name="width">Lines of a full group; a multiple of 4.</param>
    internal static void Pack(float* from, long lineStep, long depthStep, int lines, int depth, float* to, int width)
    {
        if (lines == width && lineStep == 1) Copy(from, depthStep, depth, to, width);
        else if (lines == width) Transpose(from, lineStep, depth, to, width);
        else
        {
            for (var p = 0; p < depth; p++)
                for (var i = 0; i < width; i++) to[(long)p * width + i] = i < lines ? from[i * lineStep + p * depthStep] : 0;
        }
    }

    private static void Copy(float* from, long depthStep, int depth, float* to, int width)
    {
        for (var p = 0; p < depth; p++, from += depthStep, to += width)
        {
            var i = 0;
            for (; i <= width - 8; i += 8) Vector256.Load(from + i).Store(to + i);
            for (; i < width; i += 4) Vector128.Load(from + i).Store(to + i);
        }
    }

    private static void Transpose(float* from, long lineStep, int depth, float* to, int width)
    {
        var p = 0;
        for (; p <= depth - Block; p += Block)
            for (var i = 0; i < width; i += Rows) TransposeBlock(from + i * lineStep + p, lineStep, to + (long)p * width + i, width);
        for (; p < depth; p++)
            for (var i = 0; i < width; i++) to[(long)p * width + i] = from[i * lineStep + p];
    }

    /// <summary>Four lines of sixteen elements become sixteen lines of four.</summary>
    private static void TransposeBlock(float* from, long fromStep, float* to, long toStep)
    {
        Vector512<float> x0 = Vector512.Load(from), x1 = Vector512.Load(from + fromStep);
        Vector512<float> x2 = Vector512.Load(from + 2 * fromStep), x3 = Vector512.Load(from + 3 * fromStep);
        var low01 = Avx512F.UnpackLow(x0, x1).AsDouble();
        var low23 = Avx512F.UnpackLow(x2, x3).AsDouble();
        var high01 = Avx512F.UnpackHigh(x0, x1).AsDouble();
        var high23 = Avx512F.UnpackHigh(x2, x3).AsDouble();
        // Each holds elements 0 (1, 2, 3), 4, 8 and 12 of the four lines, one after the other.
        StoreParts(Avx512F.UnpackLow(low01, low23).AsSingle(), to, toStep);
        StoreParts(Avx512F.UnpackHigh(low01, low23).AsSingle(), to + toStep, toStep);
        StoreParts(Avx512F.UnpackLow(high01, high23).AsSingle(), to + 2 * toStep, toStep);
        StoreParts(Avx512F.UnpackHigh(high01, high23).AsSingle(), to + 3 * toStep, toStep);
    }

    private static void StoreParts(Vector512<float> x, float* to, long toStep)
    {
        x.GetLower().GetLower().Store(to);
        x.GetLower().GetUpper().Store(to + 4 * toStep);
        x.GetUpper().GetLower().Store(to + 8 * toStep);
        x.GetUpper().GetUpper().Store(to + 12 * toStep);
    }
}
