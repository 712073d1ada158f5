using Attune.Kernels;
using Attune.Models;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Optimization;

/// <summary>Stochastic gradient descent with momentum, as <c>torch.optim.SGD</c>; decay is added to the gradient.</summary>
public sealed unsafe class Sgd : Optimizer
{
    private readonly double _momentum, _weightDecay;
    private readonly Tensor? _buffer;

    /// <summary>Creates the optimizer with empty state.</summary>
    /// <param name="weights">The model's.</param>
    /// <param name="learningRate">Default 5e-5, as the Trainer's.</param>
    /// <param name="momentum">Default 0, as the Trainer's.</param>
    /// <param name="weightDecay">Of the weights that decay. Default 0.</param>
    public Sgd(WeightStore weights, double learningRate = 5e-5, double momentum = 0, double weightDecay = 0) : base(weights, learningRate)
    {
        ArgumentNullException.ThrowIfNull(weights);
        (_momentum, _weightDecay) = (momentum, weightDecay);
        if (momentum != 0) _buffer = NewState("momentum_buffer", Trained.Count);
    }

    internal override string Kind => "Sgd";

    private protected override bool Apply(double gradientFactor)
    {
        foreach (var run in Trained.Runs()) Apply(run, (float)gradientFactor);
        return false;
    }

    private void Apply(TrainedWeights.Run run, float factor)
    {
        float* values = LibTorch.Floats(Weights.RawValues) + run.Offset, gradients = LibTorch.Floats(Weights.RawGradients) + run.Offset;
        var buffer = _buffer is null ? null : LibTorch.Floats(_buffer) + run.Place;
        float rate = (float)LearningRate, momentum = (float)_momentum, decay = run.Decays ? (float)_weightDecay : 0;
        CpuLoop.Stretches(run.Count, 4, (first, end) =>
        {
            for (var i = first; i < end; i++)
            {
                var slope = gradients[i] * factor + decay * values[i];
                if (buffer is not null) slope = buffer[i] = momentum * buffer[i] + slope;
                values[i] -= rate * slope;
            }
        });
    }
}
