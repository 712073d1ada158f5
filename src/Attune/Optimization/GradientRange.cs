using System.Numerics;
using Attune.Kernels;
using Attune.Models;

namespace Attune.Optimization;

/// <summary>Gradients changed element by element: clipping by value, and a factor for all.</summary>
public static unsafe class GradientRange
{
    /// <summary>Brings every element of the gradients between minus and plus <paramref name="most"/>, as torch's <c>clip_grad_value_</c>.</summary>
    /// <param name="weights">The model's.</param>
    /// <param name="most">Above 0.</param>
    public static void Clip(WeightStore weights, double most)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(most);
        if (weights.OnDevice is { } device) device.Change(gradients => gradients.clamp_(-most, most));
        else Change(weights, (first, count) => Clip((float*)first, count, (float)most));
    }

    /// <summary>Multiplies every element of the gradients.</summary>
    internal static void Multiply(WeightStore weights, double factor)
    {
        if (weights.OnDevice is { } device) device.Change(gradients => gradients.mul_(factor));
        else Change(weights, (first, count) => Multiply((float*)first, count, (float)factor));
    }

    /// <summary>Changes the gradients where they are not zero anyway.</summary>
    /// <param name="weights">The model's.</param>
    /// <param name="change">Is called with the address and number of elements that lie together, and leaves zeros as they are.</param>
    private static void Change(WeightStore weights, Action<nint, long> change)
    {
        foreach (var weight in weights.All)
        {
            if (weight.GradientIsClear || !weight.RequiresGrad) continue;
            var (gradient, rows) = ((nint)weight.RawGradient, weight.RowsWithGradient);
            if (rows is null)
            {
                CpuLoop.Stretches(weight.NumberOfElements, 2, (first, end) => change(gradient + (nint)(first * sizeof(float)), end - first));
                weight.SetGradientWritten(squares: null);                  // what is known of their sum is of before
                continue;
            }
            var columns = weight.Shape[1];
            CpuLoop.Pieces(rows.Length, 2 * columns, (_, from, to) =>
            {
                for (var i = from; i < to; i++) change(gradient + (nint)(rows[i] * columns * sizeof(float)), columns);
            });
        }
    }

    private static void Multiply(float* gradient, long count, float factor)
    {
        var i = 0L;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count) Vector.Store(Vector.Load(gradient + i) * factor, gradient + i);
        for (; i < count; i++) gradient[i] *= factor;
    }

    /// <summary>What is not a number stays so.</summary>
    private static void Clip(float* gradient, long count, float most)
    {
        Vector<float> high = new(most), low = new(-most);
        var i = 0L;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
        {
            var value = Vector.Load(gradient + i);
            value = Vector.ConditionalSelect(Vector.GreaterThan(value, high), high, Vector.ConditionalSelect(Vector.LessThan(value, low), low, value));
            Vector.Store(value, gradient + i);
        }
        for (; i < count; i++) gradient[i] = gradient[i] > most ? most : gradient[i] < -most ? -most : gradient[i];
    }
}
