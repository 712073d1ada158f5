using Attune.Kernels;
using Attune.Models;
using Attune.Native;

namespace Attune.Optimization;

/// <summary>The length of the gradient, and the factor that clips it.</summary>
public static unsafe class GradientNorm
{
    private const int Block = 4096;                                        // floats summed in single precision before the sum becomes double

    /// <summary>The 2-norm of all gradients together.</summary>
    public static double Compute(WeightStore weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        var gradients = LibTorch.Floats(weights.Gradients);
        var blocks = checked((int)((weights.Count + Block - 1) / Block));
        var sums = new double[blocks];
        CpuLoop.Pieces(blocks, Block, (_, from, to) =>
        {
            for (var block = from; block < to; block++)
            {
                var first = gradients + (long)block * Block;
                sums[block] = Vectors.SumOfProducts(first, first, (int)Math.Min(Block, weights.Count - (long)block * Block));
            }
        });
        return Math.Sqrt(sums.Sum());
    }

    /// <summary>Factor for <see cref="Optimizer.Step"/> that brings the norm down to <paramref name="maxNorm"/>, as torch's <c>clip_grad_norm_</c>.</summary>
    public static double ClipFactor(double norm, double maxNorm) => Math.Min(1, maxNorm / (norm + 1e-6));
}
