using Attune.Kernels;
using Attune.Models;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Optimization;

/// <summary>The length of the gradient, and the factor that clips it.</summary>
public static unsafe class GradientNorm
{
    private const int Block = 4096;                                        // floats summed in single precision before the sum becomes double

    /// <summary>The 2-norm of the gradients of all weights that are trained.</summary>
    public static double Compute(WeightStore weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        if (weights.OnDevice is not null)
        {
            using var norm = OnDevice(weights);
            return norm.item<float>();
        }
        return Math.Sqrt(weights.All.Sum(Squares));
    }

    /// <summary>Sum of the squares of some elements of the flat gradient, all of them written.</summary>
    internal static double Squares(WeightStore weights, long first, long count) => Squares(LibTorch.Floats(weights.RawGradients) + first, count, Block, null);

    /// <summary>Factor for <see cref="Optimizer.Step"/> that brings the norm down to <paramref name="maxNorm"/>, as torch's <c>clip_grad_norm_</c>.</summary>
    public static double ClipFactor(double norm, double maxNorm) => Math.Min(1, maxNorm / (norm + 1e-6));

    /// <summary>The same where the device has it: one float32, for which nobody waits.</summary>
    internal static Tensor OnDevice(WeightStore weights)
    {
        var gradients = weights.OnDevice!.Gradients;
        if (weights.All.All(weight => weight.RequiresGrad)) return linalg.vector_norm(gradients).DetachFromDisposeScope();
        using var scope = NewDisposeScope();
        var parts = new TrainedWeights(weights).Layout().ConvertAll(run => linalg.vector_norm(gradients.narrow(0, run.Offset, run.Count)));
        return linalg.vector_norm(stack(parts)).DetachFromDisposeScope();
    }

    /// <summary>Sum of the squares of a weight's gradient; a table's by rows, so that rows that are zero change nothing, read or not.</summary>
    private static double Squares(Weight weight)
    {
        if (weight.GradientIsClear || !weight.RequiresGrad) return 0;
        if (weight.GradientSquares is { } known) return known;
        if (!weight.IsTable) return Squares(weight.RawGradient, weight.NumberOfElements, Block, null);
        var rows = weight.RowsWithGradient;
        return Squares(weight.RawGradient, (rows?.Length ?? weight.Shape[0]) * weight.Shape[1], (int)weight.Shape[1], rows);
    }

    /// <param name="gradient">First element of the whole.</param>
    /// <param name="count">Number of elements that count.</param>
    /// <param name="block">How many elements lie together.</param>
    /// <param name="blocks">Numbers of the blocks that count; null for all.</param>
    private static double Squares(float* gradient, long count, int block, int[]? blocks)
    {
        var sums = new double[checked((int)((count + block - 1) / block))];
        CpuLoop.Pieces(sums.Length, block, (_, from, to) =>
        {
            for (var i = from; i < to; i++)
            {
                var first = gradient + (long)(blocks?[i] ?? i) * block;
                sums[i] = Vectors.SumOfProducts(first, first, (int)Math.Min(block, count - (long)i * block));
            }
        });
        return sums.Sum();
    }
}
