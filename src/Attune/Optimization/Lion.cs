using System.Numerics;
using Attune.Kernels;
using Attune.Models;
using static TorchSharp.torch;

namespace Attune.Optimization;

/// <summary>
/// Lion (Chen et al., 2023, algorithm 2): every weight moves by the whole rate, in the direction of an average of the gradients. It wants a
/// rate three to ten times smaller than AdamW's, and a weight decay as much larger.
/// </summary>
public sealed class Lion : Optimizer
{
    private readonly double _beta1, _beta2, _weightDecay;
    private readonly Tensor _averages;

    /// <summary>Creates the optimizer with empty state.</summary>
    /// <param name="weights">The model's.</param>
    /// <param name="learningRate">Default 5e-5, as the Trainer's.</param>
    /// <param name="beta1">Share of the average in the direction. Default 0.9.</param>
    /// <param name="beta2">Decay of the average. Default 0.99, as in the paper.</param>
    /// <param name="weightDecay">Of the weights that decay; decoupled. Default 0.</param>
    public Lion(WeightStore weights, double learningRate = 5e-5, double beta1 = 0.9, double beta2 = 0.99, double weightDecay = 0) : base(weights, learningRate)
    {
        ArgumentNullException.ThrowIfNull(weights);
        (_beta1, _beta2, _weightDecay) = (beta1, beta2, weightDecay);
        _averages = NewState("exp_avg", Trained.Count);
    }

    internal override string Kind => "Lion";

    private protected override bool Apply(double gradientFactor)
    {
        Apply(run => new Rule(LearningRate * run.RateFactor, run.Decays ? _weightDecay : 0, _beta1, _beta2), gradientFactor, _averages);
        return false;
    }

    private readonly struct Rule(double rate, double weightDecay, double beta1, double beta2) : IUpdateRule
    {
        private readonly Vector<float> _rate = new((float)rate), _keep = new((float)(1 - rate * weightDecay));
        private readonly Vector<float> _beta1 = new((float)beta1), _share1 = new((float)(1 - beta1)), _beta2 = new((float)beta2), _share2 = new((float)(1 - beta2));

        public void Next(ref Vector<float> value, Vector<float> gradient, ref Vector<float> average, ref Vector<float> second, ref Vector<float> third)
        {
            var direction = _beta1 * average + _share1 * gradient;
            value = value * _keep - Vector.ConditionalSelect(Vector.GreaterThan(direction, Vector<float>.Zero), _rate,
                Vector.ConditionalSelect(Vector.LessThan(direction, Vector<float>.Zero), -_rate, Vector<float>.Zero));
            average = _beta2 * average + _share2 * gradient;
        }
    }
}
