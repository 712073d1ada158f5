using System.Numerics;
using Attune.Kernels;
using Attune.Models;
using static TorchSharp.torch;

namespace Attune.Optimization;

/// <summary>Stochastic gradient descent with momentum, as <c>torch.optim.SGD</c>; decay is added to the gradient.</summary>
public sealed class Sgd : Optimizer
{
    private readonly double _momentum, _weightDecay, _dampening;
    private readonly bool _nesterov;
    private readonly Tensor? _buffer;

    /// <summary>Creates the optimizer with empty state.</summary>
    /// <param name="weights">The model's.</param>
    /// <param name="learningRate">Default 5e-5, as the Trainer's.</param>
    /// <param name="momentum">Default 0, as the Trainer's.</param>
    /// <param name="weightDecay">Of the weights that decay. Default 0.</param>
    /// <param name="dampening">Share of each gradient, after the first, that the momentum leaves out. Default 0.</param>
    /// <param name="nesterov">Whether the step looks ahead along the momentum. Default false.</param>
    public Sgd(
        WeightStore weights, double learningRate = 5e-5, double momentum = 0, double weightDecay = 0, double dampening = 0, bool nesterov = false)
        : base(weights, learningRate)
    {
        ArgumentNullException.ThrowIfNull(weights);
        (_momentum, _weightDecay, _dampening, _nesterov) = (momentum, weightDecay, dampening, nesterov);
        if (momentum != 0) _buffer = NewState("momentum_buffer", Trained.Count);
    }

    internal override string Kind => "Sgd";

    private protected override bool Apply(double gradientFactor)
    {
        if (_buffer is null) Apply(run => new PlainRule(Rate(run), Decay(run)), gradientFactor);
        else Apply(run => new MomentumRule(Rate(run), Decay(run), _momentum, StepCount == 1 ? 1 : 1 - _dampening, _nesterov), gradientFactor, _buffer);
        return false;
    }

    private float Rate(TrainedWeights.Run run) => (float)(LearningRate * run.RateFactor);

    private float Decay(TrainedWeights.Run run) => run.Decays ? (float)_weightDecay : 0;

    private readonly struct PlainRule(float rate, float decay) : IUpdateRule
    {
        private readonly Vector<float> _rate = new(rate), _decay = new(decay);

        public void Next(ref Vector<float> value, Vector<float> gradient, ref Vector<float> first, ref Vector<float> second, ref Vector<float> third) =>
            value -= _rate * (gradient + _decay * value);
    }

    private readonly struct MomentumRule(float rate, float decay, double momentum, double share, bool nesterov) : IUpdateRule
    {
        private readonly Vector<float> _rate = new(rate), _decay = new(decay), _momentum = new((float)momentum), _share = new((float)share);

        public void Next(ref Vector<float> value, Vector<float> gradient, ref Vector<float> buffer, ref Vector<float> second, ref Vector<float> third)
        {
            var slope = gradient + _decay * value;
            buffer = _momentum * buffer + _share * slope;
            value -= _rate * (nesterov ? slope + _momentum * buffer : buffer);
        }
    }
}
