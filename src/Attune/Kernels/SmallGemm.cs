using System.Numerics;

namespace Attune.Kernels;

/// <summary>Products of small matrices that lie in the cache, without the cost of a call into libtorch.</summary>
internal static unsafe class SmallGemm
{
    /// <summary>C = A B, or C += A B.</summary>
    /// <param name="m">Rows of A and C.</param>
    /// <param name="n">Columns of B and C.</param>
    /// <param name="k">Columns of A, rows of B.</param>
    /// <param name="a">A; element (i,p) at <c>a[i * rowA + p * columnA]</c>, so that A may be a transposed view.</param>
    /// <param name="rowA">Step from one row of A to the next.</param>
    /// <param name="columnA">Step from one column of A to the next.</param>
    /// <param name="b">B, rows contiguous.</param>
    /// <param name="rowB">Step from one row of B to the next.</param>
    /// <param name="c">C, rows contiguous.</param>
    /// <param name="rowC">Step from one row of C to the next.</param>
    /// <param name="accumulate">Whether C is added to.</param>
    internal static void Multiply(
        int m, int n, int k, float* a, int rowA, int columnA, float* b, int rowB, float* c, int rowC, bool accumulate)
    {
        var width = Vector<float>.Count;
        var j = 0;
        for (; j <= n - 2 * width; j += 2 * width)
        {
            var i = 0;
            for (; i <= m - 4; i += 4) Tile4x2(k, a + i * rowA, rowA, columnA, b + j, rowB, c + i * rowC + j, rowC, accumulate);
            for (; i < m; i++) Tile1x2(k, a + i * rowA, columnA, b + j, rowB, c + i * rowC + j, accumulate);
        }
        for (; j <= n - width; j += width)
        {
            var i = 0;
            for (; i <= m - 4; i += 4) Tile4x1(k, a + i * rowA, rowA, columnA, b + j, rowB, c + i * rowC + j, rowC, accumulate);
            for (; i < m; i++) Tile1x1(k, a + i * rowA, columnA, b + j, rowB, c + i * rowC + j, accumulate);
        }
        for (; j < n; j++)
            for (var i = 0; i < m; i++)
            {
                var sum = accumulate ? c[i * rowC + j] : 0;
                for (var p = 0; p < k; p++) sum += a[i * rowA + p * columnA] * b[p * rowB + j];
                c[i * rowC + j] = sum;
            }
    }

    private static void Tile4x2(int k, float* a, int rowA, int columnA, float* b, int rowB, float* c, int rowC, bool accumulate)
    {
        var w = Vector<float>.Count;
        Vector<float> c00 = default, c01 = default, c10 = default, c11 = default, c20 = default, c21 = default, c30 = default, c31 = default;
        if (accumulate)
        {
            (c00, c01) = (Vector.Load(c), Vector.Load(c + w));
            (c10, c11) = (Vector.Load(c + rowC), Vector.Load(c + rowC + w));
            (c20, c21) = (Vector.Load(c + 2 * rowC), Vector.Load(c + 2 * rowC + w));
            (c30, c31) = (Vector.Load(c + 3 * rowC), Vector.Load(c + 3 * rowC + w));
        }
        float* a1 = a + rowA, a2 = a1 + rowA, a3 = a2 + rowA;
        for (var p = 0; p < k; p++, b += rowB)
        {
            Vector<float> b0 = Vector.Load(b), b1 = Vector.Load(b + w);
            var at = p * columnA;
            var x = new Vector<float>(a[at]);
            c00 = Vector.FusedMultiplyAdd(x, b0, c00);
            c01 = Vector.FusedMultiplyAdd(x, b1, c01);
            x = new Vector<float>(a1[at]);
            c10 = Vector.FusedMultiplyAdd(x, b0, c10);
            c11 = Vector.FusedMultiplyAdd(x, b1, c11);
            x = new Vector<float>(a2[at]);
            c20 = Vector.FusedMultiplyAdd(x, b0, c20);
            c21 = Vector.FusedMultiplyAdd(x, b1, c21);
            x = new Vector<float>(a3[at]);
            c30 = Vector.FusedMultiplyAdd(x, b0, c30);
            c31 = Vector.FusedMultiplyAdd(x, b1, c31);
        }
        Vector.Store(c00, c);
        Vector.Store(c01, c + w);
        Vector.Store(c10, c + rowC);
        Vector.Store(c11, c + rowC + w);
        Vector.Store(c20, c + 2 * rowC);
        Vector.Store(c21, c + 2 * rowC + w);
        Vector.Store(c30, c + 3 * rowC);
        Vector.Store(c31, c + 3 * rowC + w);
    }

    private static void Tile1x2(int k, float* a, int columnA, float* b, int rowB, float* c, bool accumulate)
    {
        var w = Vector<float>.Count;
        Vector<float> c0 = accumulate ? Vector.Load(c) : default, c1 = accumulate ? Vector.Load(c + w) : default;
        for (var p = 0; p < k; p++, b += rowB)
        {
            var x = new Vector<float>(a[p * columnA]);
            c0 = Vector.FusedMultiplyAdd(x, Vector.Load(b), c0);
            c1 = Vector.FusedMultiplyAdd(x, Vector.Load(b + w), c1);
        }
        Vector.Store(c0, c);
        Vector.Store(c1, c + w);
    }

    private static void Tile4x1(int k, float* a, int rowA, int columnA, float* b, int rowB, float* c, int rowC, bool accumulate)
    {
        Vector<float> c0 = default, c1 = default, c2 = default, c3 = default;
        if (accumulate) (c0, c1, c2, c3) = (Vector.Load(c), Vector.Load(c + rowC), Vector.Load(c + 2 * rowC), Vector.Load(c + 3 * rowC));
        float* a1 = a + rowA, a2 = a1 + rowA, a3 = a2 + rowA;
        for (var p = 0; p < k; p++, b += rowB)
        {
            var b0 = Vector.Load(b);
            var at = p * columnA;
            c0 = Vector.FusedMultiplyAdd(new Vector<float>(a[at]), b0, c0);
            c1 = Vector.FusedMultiplyAdd(new Vector<float>(a1[at]), b0, c1);
            c2 = Vector.FusedMultiplyAdd(new Vector<float>(a2[at]), b0, c2);
            c3 = Vector.FusedMultiplyAdd(new Vector<float>(a3[at]), b0, c3);
        }
        Vector.Store(c0, c);
        Vector.Store(c1, c + rowC);
        Vector.Store(c2, c + 2 * rowC);
        Vector.Store(c3, c + 3 * rowC);
    }

    private static void Tile1x1(int k, float* a, int columnA, float* b, int rowB, float* c, bool accumulate)
    {
        var c0 = accumulate ? Vector.Load(c) : default;
        for (var p = 0; p < k; p++, b += rowB) c0 = Vector.FusedMultiplyAdd(new Vector<float>(a[p * columnA]), Vector.Load(b), c0);
        Vector.Store(c0, c);
    }
}
