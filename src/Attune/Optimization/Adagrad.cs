using System.Numerics;
using Attune.Kernels;
using Attune.Models;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Optimization;

/// <summary>Gradients divided by the root of the sum of their squares so far, as <c>torch.optim.Adagrad</c>; decay is added to the gradient.</summary>
public sealed class Adagrad : Optimizer
{
    private readonly double _rateDecay, _epsilon, _weightDecay;
    private readonly Tensor _sums;

    /// <summary>Creates the optimizer with empty state.</summary>
    /// <param name="weights">The model's.</param>
    /// <param name="learningRate">Default 5e-5, as the Trainer's.</param>
    /// <param name="rateDecay">By which the rate falls: it is divided by 1 + (step - 1) times this. Default 0.</param>
    /// <param name="epsilon">Added to the root. Default 1e-10.</param>
    /// <param name="weightDecay">Of the weights that decay. Default 0.</param>
    /// <param name="initialSum">With which the sums begin. Default 0.</param>
    public Adagrad(
        WeightStore weights, double learningRate = 5e-5, double rateDecay = 0, double epsilon = 1e-10, double weightDecay = 0, double initialSum = 0)
        : base(weights, learningRate)
    {
        ArgumentNullException.ThrowIfNull(weights);
        (_rateDecay, _epsilon, _weightDecay) = (rateDecay, epsilon, weightDecay);
        _sums = NewState("sum", Trained.Count);
        if (initialSum != 0) LibTorch.Span(_sums).Fill((float)initialSum);
    }

    internal override string Kind => "Adagrad";

    private protected override bool Apply(double gradientFactor)
    {
        var rate = LearningRate / (1 + (StepCount - 1) * _rateDecay);
        Apply(run => new Rule((float)(rate * run.RateFactor), run.Decays ? (float)_weightDecay : 0, (float)_epsilon), gradientFactor, _sums);
        return false;
    }

    private readonly struct Rule(float rate, float weightDecay, float epsilon) : IUpdateRule
    {
        private readonly Vector<float> _rate = new(rate), _decay = new(weightDecay), _epsilon = new(epsilon);

        public void Next(ref Vector<float> value, Vector<float> gradient, ref Vector<float> sum, ref Vector<float> second, ref Vector<float> third)
        {
            var slope = gradient + _decay * value;
            sum += slope * slope;
            value -= _rate * (slope / (Vector.SquareRoot(sum) + _epsilon));
        }
    }
}
