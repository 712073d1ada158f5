using System.Runtime.Intrinsics.X86;
using Attune.Native;

namespace Attune.Kernels;

// Legend: M lines and N columns of the result, K depth: what is summed over.

/// <summary>
/// Products of matrices on all cores, for processors with 512-bit vectors: both operands are copied into the order in which a tile of the
/// result reads them (Goto and van de Geijn, Anatomy of High-Performance Matrix Multiplication, 2008).
/// </summary>
internal static unsafe class Gemm
{
    /// <summary>Most of the depth that is worked off at a time: a panel of the right side stays in the first two levels of the cache.</summary>
    private const int DepthBlock = 384;

    private const int CacheLine = 64;

    /// <summary>Most lines and most of the depth whose left side is packed at a time: at most 19 MB.</summary>
    private const int MostLines = 128 * GemmTile.Lines, MostDepth = 3072;

    /// <summary>Panels for each thread below which the lines are shared out too.</summary>
    private const int PanelsPerThread = 2;

    /// <summary>
    /// Whether these products are to be preferred to libtorch's. On Intel's processors the library behind libtorch is at its best; on others
    /// with 512-bit vectors it stays 5 to 10 % behind (bench: <c>MatrixProductBenchmark</c>).
    /// </summary>
    internal static bool IsPreferred { get; } = Avx512F.IsSupported && !Processor.IsIntel;

    /// <summary>One side of a product, or its result: element (i,j) is at <c>Data[i * Step + j * ColumnStep]</c>.</summary>
    internal readonly record struct Matrix(nint Data, long Step, long ColumnStep = 1)
    {
        internal Matrix(float* data, long step, long columnStep = 1) : this((nint)data, step, columnStep)
        {
        }

        /// <summary>What begins at a line and a column.</summary>
        internal Matrix From(long line, long column) => this with { Data = (nint)At(line, column) };

        internal float* At(long line, long column) => (float*)Data + line * Step + column * ColumnStep;
    }

    /// <summary>C = A B, or C += A B.</summary>
    /// <param name="m">M.</param>
    /// <param name="n">N.</param>
    /// <param name="k">K.</param>
    /// <param name="a">(M,K); one of its steps is 1.</param>
    /// <param name="b">(K,N); one of its steps is 1.</param>
    /// <param name="c">(M,N), lines contiguous; must not overlap the others.</param>
    /// <param name="accumulate">Whether C is added to.</param>
    /// <param name="pastCache">Whether C is too large to be found in the caches when it is read next: then it is written past them.</param>
    /// <returns>The sum of the squares of all elements of C.</returns>
    internal static double Multiply(int m, int n, int k, Matrix a, Matrix b, Matrix c, bool accumulate, bool pastCache = false)
    {
        pastCache &= c.Data % CacheLine == 0 && c.Step * sizeof(float) % CacheLine == 0;
        var squares = 0.0;
        for (var line = 0; line < m; line += MostLines)
            for (var from = 0; from < k; from += MostDepth)
            {
                var depth = Math.Min(MostDepth, k - from);
                var isLast = from + depth == k;
                var sum = Block(Math.Min(MostLines, m - line), n, depth, a.From(line, from), b.From(from, 0), c.From(line, 0),
                    accumulate || from > 0, pastCache && isLast);
                if (isLast) squares += sum;
            }
        return squares;
    }

    private static double Block(int m, int n, int k, Matrix a, Matrix b, Matrix c, bool accumulate, bool pastCache)
    {
        int strips = Groups(m, GemmTile.Lines), panels = Groups(n, GemmTile.Columns);
        var left = (nint)Scratch.OfThisCall((long)strips * GemmTile.Lines * k).Floats((long)strips * GemmTile.Lines * k);
        CpuLoop.Pieces(strips, 2L * GemmTile.Lines * k, (_, from, to) =>
        {
            for (var strip = from; strip < to; strip++)
            {
                var first = strip * GemmTile.Lines;
                GemmPacking.Pack(a.At(first, 0), a.Step, a.ColumnStep, Math.Min(GemmTile.Lines, m - first), k,
                    (float*)left + (long)first * k, GemmTile.Lines);
            }
        });

        var chunks = panels >= PanelsPerThread * CpuLoop.Threads ? 1 : Math.Min(strips, Groups(PanelsPerThread * CpuLoop.Threads, panels));
        var squares = new double[panels * chunks];
        CpuLoop.Items(squares.Length, (long)m * n * k, item =>
        {
            int panel = item / chunks, chunk = item % chunks, column = panel * GemmTile.Columns;
            squares[item] = Panel(m, Math.Min(GemmTile.Columns, n - column), k, (float*)left, b.From(0, column), c.From(0, column),
                strips * chunk / chunks, strips * (chunk + 1) / chunks, accumulate, pastCache);
        });
        return squares.Sum();
    }

    /// <summary>The tiles of some strips of lines and one panel of columns.</summary>
    private static double Panel(
        int m, int columns, int k, float* left, Matrix b, Matrix c, int firstStrip, int endStrip, bool accumulate, bool pastCache)
    {
        var depthBlocks = Groups(k, DepthBlock);
        var depth = Groups(k, depthBlocks);
        var scratch = Scratch.OfThisThread(depth * GemmTile.Columns + GemmTile.Lines * GemmTile.Columns);
        float* packed = scratch.Floats(depth * GemmTile.Columns), tile = scratch.Floats(GemmTile.Lines * GemmTile.Columns);
        var squares = 0.0;
        for (var from = 0; from < k; from += depth)
        {
            var here = Math.Min(depth, k - from);
            GemmPacking.Pack(b.At(from, 0), b.ColumnStep, b.Step, columns, here, packed, GemmTile.Columns);
            var isLast = from + here == k;
            for (var strip = firstStrip; strip < endStrip; strip++)
            {
                var line = strip * GemmTile.Lines;
                GemmTile.Multiply(here, left + (long)line * k + (long)from * GemmTile.Lines, packed, tile);
                var sum = GemmTile.Store(tile, c.At(line, 0), c.Step, Math.Min(GemmTile.Lines, m - line), columns, accumulate || from > 0, isLast && pastCache);
                if (isLast) squares += sum;
            }
        }
        return squares;
    }

    private static int Groups(int count, int size) => (count + size - 1) / size;
}
