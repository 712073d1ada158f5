using Attune.Models;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Optimization;

/// <summary>Adam with decoupled weight decay (Loshchilov and Hutter, 2019), as <c>torch.optim.AdamW</c>: libtorch's fused kernel on the flat buffers.</summary>
public sealed class AdamW : Optimizer
{
    private readonly double _beta1, _beta2, _epsilon, _weightDecay;
    private readonly Tensor _averages, _squares;

    /// <summary>Creates the optimizer with empty state.</summary>
    /// <param name="weights">The model's.</param>
    /// <param name="learningRate">Default 5e-5, as the Trainer's.</param>
    /// <param name="beta1">Decay of the gradients' average. Default 0.9.</param>
    /// <param name="beta2">Decay of their squares' average. Default 0.999.</param>
    /// <param name="epsilon">Added to the root of the squares. Default 1e-8.</param>
    /// <param name="weightDecay">Of the weights that decay. Default 0.</param>
    public AdamW(
        WeightStore weights, double learningRate = 5e-5, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, double weightDecay = 0)
        : base(weights, learningRate)
    {
        ArgumentNullException.ThrowIfNull(weights);
        (_beta1, _beta2, _epsilon, _weightDecay) = (beta1, beta2, epsilon, weightDecay);
        _averages = NewState("exp_avg", weights.Count);
        _squares = NewState("exp_avg_sq", weights.Count);
    }

    internal override string Kind => "AdamW";

    private protected override void Apply(double gradientFactor)
    {
        using var divisor = gradientFactor == 1 ? null : tensor((float)(1 / gradientFactor));
        using var step = tensor((float)StepCount);
        StepPart(0, Weights.DecayingCount, _weightDecay, step, divisor);
        StepPart(Weights.DecayingCount, Weights.Count - Weights.DecayingCount, 0, step, divisor);
    }

    private void StepPart(long from, long count, double weightDecay, Tensor step, Tensor? divisor)
    {
        if (count == 0) return;
        using var values = Weights.Values.narrow(0, from, count);
        using var gradients = Weights.Gradients.narrow(0, from, count);
        using var averages = _averages.narrow(0, from, count);
        using var squares = _squares.narrow(0, from, count);
        Dispatcher.Call("aten::_fused_adamw_", "",
            Dispatcher.Argument.List(values), Dispatcher.Argument.List(gradients), Dispatcher.Argument.List(averages),
            Dispatcher.Argument.List(squares), Dispatcher.Argument.List(), Dispatcher.Argument.List(step),
            LearningRate, _beta1, _beta2, weightDecay, _epsilon, false, false,
            divisor is null ? Dispatcher.Argument.None : Dispatcher.Argument.Some(divisor), Dispatcher.Argument.None);
    }
}
