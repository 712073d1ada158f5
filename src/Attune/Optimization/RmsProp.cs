using System.Numerics;
using Attune.Kernels;
using Attune.Models;
using static TorchSharp.torch;

namespace Attune.Optimization;

/// <summary>Gradients divided by the root of their squares' average, as <c>torch.optim.RMSprop</c>; decay is added to the gradient.</summary>
public sealed class RmsProp : Optimizer
{
    private readonly double _alpha, _epsilon, _weightDecay, _momentum;
    private readonly Tensor _squares;
    private readonly Tensor? _averages, _buffer;

    /// <summary>Creates the optimizer with empty state.</summary>
    /// <param name="weights">The model's.</param>
    /// <param name="learningRate">Default 5e-5, as the Trainer's.</param>
    /// <param name="alpha">Decay of the squares' average. Default 0.99.</param>
    /// <param name="epsilon">Added to the root. Default 1e-8.</param>
    /// <param name="weightDecay">Of the weights that decay. Default 0.</param>
    /// <param name="momentum">Default 0.</param>
    /// <param name="centered">Whether the squares are taken from the gradients' average. Default false.</param>
    public RmsProp(
        WeightStore weights, double learningRate = 5e-5, double alpha = 0.99, double epsilon = 1e-8, double weightDecay = 0, double momentum = 0,
        bool centered = false) : base(weights, learningRate)
    {
        ArgumentNullException.ThrowIfNull(weights);
        (_alpha, _epsilon, _weightDecay, _momentum) = (alpha, epsilon, weightDecay, momentum);
        _squares = NewState("square_avg", Trained.Count);
        if (momentum != 0) _buffer = NewState("momentum_buffer", Trained.Count);
        if (centered) _averages = NewState("grad_avg", Trained.Count);
    }

    internal override string Kind => "RmsProp";

    private protected override bool Apply(double gradientFactor)
    {
        Apply(run => new Rule((float)(LearningRate * run.RateFactor), run.Decays ? (float)_weightDecay : 0, _alpha, (float)_epsilon, (float)_momentum, _averages is not null),
            gradientFactor, _squares, _averages, _buffer);
        return false;
    }

    private readonly struct Rule(float rate, float weightDecay, double alpha, float epsilon, float momentum, bool centered) : IUpdateRule
    {
        private readonly Vector<float> _rate = new(rate), _decay = new(weightDecay), _alpha = new((float)alpha), _share = new((float)(1 - alpha)), _epsilon = new(epsilon),
            _momentum = new(momentum);

        public void Next(ref Vector<float> value, Vector<float> gradient, ref Vector<float> square, ref Vector<float> average, ref Vector<float> buffer)
        {
            var slope = gradient + _decay * value;
            square = _alpha * square + _share * slope * slope;
            var spread = square;
            if (centered)
            {
                average += _share * (slope - average);
                spread = Vector.Max(spread - average * average, Vector<float>.Zero);  // rounding must not make a root of less
            }
            buffer = _momentum * buffer + slope / (Vector.SquareRoot(spread) + _epsilon);
            value -= _rate * buffer;
        }
    }
}
