using System.Numerics;
using Attune.Kernels;
using Attune.Models;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Optimization;

/// <summary>
/// StableAdamW (Wortsman et al., 2023, algorithm 2, as <c>optimi.StableAdamW</c>): AdamW that takes a smaller step with a weight matrix whose
/// gradients have outgrown their average, in place of clipping the gradient.
/// </summary>
public sealed unsafe class StableAdamW : Optimizer
{
    private const int Block = 1 << 14, OperationsPerElement = 16;

    private readonly double _beta1, _beta2, _epsilon, _weightDecay;
    private readonly double? _fullRate;
    private readonly Tensor _averages, _squares;

    /// <summary>Creates the optimizer with empty state.</summary>
    /// <param name="weights">The model's.</param>
    /// <param name="learningRate">Default 5e-5, as the Trainer's.</param>
    /// <param name="beta1">Decay of the gradients' average. Default 0.9.</param>
    /// <param name="beta2">Decay of their squares' average. Default 0.99.</param>
    /// <param name="epsilon">Added to the root of the squares. Default 1e-6.</param>
    /// <param name="weightDecay">Of the weights that decay. Default 0.</param>
    /// <param name="fullRate">Rate at which the whole weight decay applies, for a decay that does not depend on <paramref name="learningRate"/>; null multiplies
    /// it by the rate, as AdamW does.</param>
    public StableAdamW(
        WeightStore weights, double learningRate = 5e-5, double beta1 = 0.9, double beta2 = 0.99, double epsilon = 1e-6, double weightDecay = 0,
        double? fullRate = null) : base(weights, learningRate)
    {
        ArgumentNullException.ThrowIfNull(weights);
        (_beta1, _beta2, _epsilon, _weightDecay, _fullRate) = (beta1, beta2, epsilon, weightDecay, fullRate);
        _averages = NewState("exp_avg", Trained.Count);
        _squares = NewState("exp_avg_sq", Trained.Count);
    }

    internal override string Kind => "StableAdamW";

    private protected override bool Apply(double gradientFactor)
    {
        foreach (var weight in Trained.All) Update(weight, (float)gradientFactor);
        return false;
    }

    private void Update(Weight weight, float factor)
    {
        float* values = weight.Data, gradients = weight.GradientWritten();
        float* averages = LibTorch.Floats(_averages) + Trained.Place(weight), squares = LibTorch.Floats(_squares) + Trained.Place(weight);
        var count = weight.NumberOfElements;
        var moments = new MomentsRule(Unbiased(_beta1), Unbiased(_beta2), (float)(_epsilon * _epsilon));
        // Sums of blocks of one size, so that they do not depend on the number of threads.
        var sums = new double[checked((int)((count + Block - 1) / Block))];
        CpuLoop.Pieces(sums.Length, OperationsPerElement * Block, (_, from, to) =>
        {
            for (var block = from; block < to; block++)
            {
                var first = (long)block * Block;
                sums[block] = moments.Run(gradients + first, averages + first, squares + first, Math.Min(Block, count - first), factor);
            }
        });
        var rate = LearningRate / Math.Max(1, Math.Sqrt(sums.Sum() / count));
        var decay = !weight.Decays ? 0 : _fullRate is { } full ? rate / full * _weightDecay : rate * Trained.RateFactor(weight) * _weightDecay;
        var step = new StepRule((float)(rate * Trained.RateFactor(weight)), (float)(1 - decay), (float)_epsilon);
        CpuLoop.Stretches(count, OperationsPerElement, (from, end) =>
            UpdateLoop.Run(step, values + from, gradients + from, end - from, 1, averages + from, squares + from, null));
    }

    /// <summary>A decay with which an average that began at 0 is one of the gradients alone.</summary>
    private double Unbiased(double beta)
    {
        var power = Math.Pow(beta, StepCount);
        return (power - beta) / (power - 1);
    }

    /// <summary>Brings the averages up to date, and sums squares of gradients over their average.</summary>
    private readonly struct MomentsRule(double beta1, double beta2, float least)
    {
        private readonly Vector<float> _share1 = new((float)(1 - beta1)), _beta2 = new((float)beta2), _share2 = new((float)(1 - beta2)), _least = new(least);

        internal double Run(float* gradients, float* averages, float* squares, long count, float factor)
        {
            var sum = Vector<float>.Zero;
            var i = 0L;
            for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
            {
                Vector<float> average = Vector.Load(averages + i), square = Vector.Load(squares + i);
                sum += Next(Vector.Load(gradients + i) * new Vector<float>(factor), ref average, ref square);
                Vector.Store(average, averages + i);
                Vector.Store(square, squares + i);
            }
            double total = Vector.Sum(sum);
            for (; i < count; i++)
            {
                Vector<float> average = new(averages[i]), square = new(squares[i]);
                total += Next(new Vector<float>(gradients[i] * factor), ref average, ref square)[0];
                (averages[i], squares[i]) = (average[0], square[0]);
            }
            return total;
        }

        private Vector<float> Next(Vector<float> gradient, ref Vector<float> average, ref Vector<float> square)
        {
            average += _share1 * (gradient - average);
            square = _beta2 * square + _share2 * gradient * gradient;
            return gradient * gradient / Vector.Max(square, _least);
        }
    }

    private readonly struct StepRule(float rate, float keep, float epsilon) : IUpdateRule
    {
        private readonly Vector<float> _rate = new(rate), _keep = new(keep), _epsilon = new(epsilon);

        public void Next(ref Vector<float> value, Vector<float> gradient, ref Vector<float> average, ref Vector<float> square, ref Vector<float> third) =>
            value = value * _keep - _rate * (average / (Vector.SquareRoot(square) + _epsilon));
    }
}
