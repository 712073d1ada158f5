using System.Numerics;

namespace Attune.Kernels;

/// <summary>Element-wise operations and sums over float32 vectors of <c>count</c> elements, on the calling thread.</summary>
internal static unsafe class Vectors
{
    /// <summary>Sum of all elements.</summary>
    internal static double Sum(float* x, int count)
    {
        Vector<float> a = default, b = default;
        var i = 0;
        for (; i <= count - 2 * Vector<float>.Count; i += 2 * Vector<float>.Count)
        {
            a += Vector.Load(x + i);
            b += Vector.Load(x + i + Vector<float>.Count);
        }
        double sum = Vector.Sum(a + b);
        for (; i < count; i++) sum += x[i];
        return sum;
    }

    /// <summary>Sum of x y over all elements.</summary>
    internal static double SumOfProducts(float* x, float* y, int count)
    {
        Vector<float> a = default, b = default;
        var i = 0;
        for (; i <= count - 2 * Vector<float>.Count; i += 2 * Vector<float>.Count)
        {
            a = Vector.FusedMultiplyAdd(Vector.Load(x + i), Vector.Load(y + i), a);
            b = Vector.FusedMultiplyAdd(Vector.Load(x + i + Vector<float>.Count), Vector.Load(y + i + Vector<float>.Count), b);
        }
        double sum = Vector.Sum(a + b);
        for (; i < count; i++) sum += (double)x[i] * y[i];
        return sum;
    }

    /// <summary>x += y.</summary>
    internal static void Add(float* x, float* y, int count) => Sum(x, y, x, count);

    /// <summary>result = x + y.</summary>
    internal static void Sum(float* x, float* y, float* result, int count)
    {
        var i = 0;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count) Vector.Store(Vector.Load(x + i) + Vector.Load(y + i), result + i);
        for (; i < count; i++) result[i] = x[i] + y[i];
    }

    /// <summary>sum += x y.</summary>
    internal static void AddProduct(float* sum, float* x, float* y, int count)
    {
        var i = 0;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
            Vector.Store(Vector.FusedMultiplyAdd(Vector.Load(x + i), Vector.Load(y + i), Vector.Load(sum + i)), sum + i);
        for (; i < count; i++) sum[i] += x[i] * y[i];
    }

    /// <summary>x *= y.</summary>
    internal static void Multiply(float* x, float* y, int count) => Product(x, y, x, count);

    /// <summary>result = x y.</summary>
    internal static void Product(float* x, float* y, float* result, int count)
    {
        var i = 0;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count) Vector.Store(Vector.Load(x + i) * Vector.Load(y + i), result + i);
        for (; i < count; i++) result[i] = x[i] * y[i];
    }

    /// <summary>x -= factor (x - y).</summary>
    internal static void MoveTowards(float* x, float* y, float factor, long count)
    {
        var (i, factors) = (0L, new Vector<float>(factor));
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
            Vector.Store(Vector.Load(x + i) - factors * (Vector.Load(x + i) - Vector.Load(y + i)), x + i);
        for (; i < count; i++) x[i] -= factor * (x[i] - y[i]);
    }

    /// <summary>result = x weight + shift.</summary>
    internal static void Affine(float* x, float* weight, float* shift, float* result, int count)
    {
        var i = 0;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
            Vector.Store(Vector.FusedMultiplyAdd(Vector.Load(x + i), Vector.Load(weight + i), Vector.Load(shift + i)), result + i);
        for (; i < count; i++) result[i] = x[i] * weight[i] + shift[i];
    }
}
