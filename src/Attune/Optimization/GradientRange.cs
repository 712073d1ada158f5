using System.Numerics;
using Attune.Kernels;
using Attune.Models;

namespace Attune.Optimization;

/// <summary>Clipping of gradients by value.</summary>
public static unsafe class GradientRange
{
    /// <summary>Brings every element of the gradients between minus and plus <paramref name="most"/>, as torch's <c>clip_grad_value_</c>.</summary>
    /// <param name="weights">The model's.</param>
    /// <param name="most">Above 0.</param>
    public static void Clip(WeightStore weights, double most)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(most);
        foreach (var weight in weights.All)
        {
            if (weight.GradientIsClear || !weight.RequiresGrad) continue;
            var (gradient, rows) = ((nint)weight.RawGradient, weight.RowsWithGradient);
            if (rows is null)
            {
                CpuLoop.Stretches(weight.NumberOfElements, 2, (first, end) => Clip((float*)gradient + first, end - first, (float)most));
                weight.SetGradientWritten(squares: null);                  // what is known of their sum is of before
                continue;
            }
            var columns = weight.Shape[1];
            CpuLoop.Pieces(rows.Length, 2 * columns, (_, from, to) =>
            {
                for (var i = from; i < to; i++) Clip((float*)gradient + rows[i] * columns, columns, (float)most);
            });
        }
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
