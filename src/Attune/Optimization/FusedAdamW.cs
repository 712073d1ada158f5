using Attune.Models;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Optimization;

/// <summary>AdamW over weights on a device, by libtorch's fused kernel: what <see cref="AdamW"/> is on the processor, and the same in the files of checkpoints.</summary>
internal sealed class FusedAdamW : Optimizer
{
    private const string Averages = "exp_avg", Squares = "exp_avg_sq";

    private readonly double _beta1, _beta2, _epsilon, _weightDecay;
    private readonly DeviceWeights _weights;
    private readonly DeviceState _averages, _squares;

    /// <inheritdoc cref="AdamW(WeightStore, double, double, double, double, double)"/>
    internal FusedAdamW(WeightStore weights, double learningRate, double beta1, double beta2, double epsilon, double weightDecay) : base(weights, learningRate)
    {
        (_beta1, _beta2, _epsilon, _weightDecay, _weights) = (beta1, beta2, epsilon, weightDecay, weights.OnDevice!);
        (_averages, _squares) = (State(Averages), State(Squares));

        DeviceState State(string name) => new(_weights.Device, Trained.Count, () => FindState(name) ?? NewState(name, Trained.Count), isNew: true);
    }

    internal override string Kind => "AdamW";

    internal override long StateSize => _averages.Count + _squares.Count;

    /// <inheritdoc/>
    public override void Dispose()
    {
        _averages.Dispose();
        _squares.Dispose();
        base.Dispose();
    }

    /// <summary>The host's copy of the state, which is made when it is asked for first. Whoever asks may fill it, too.</summary>
    private protected override void FinishState()
    {
        _ = _averages.OnHost;
        _ = _squares.OnHost;
    }

    /// <summary>Makes a step where all numbers are finite that the device has; it decides, and nobody waits for it.</summary>
    /// <param name="losses">One float32 each; disposed.</param>
    /// <param name="maxNorm">Length to which the gradient is clipped, and then it counts, too; null for no clipping.</param>
    /// <returns>The losses, and behind them the gradient's length where that is clipped. Where one of them is not finite there was no step: tell it by <see cref="TakeBack"/>.</returns>
    internal Tensor StepWhereFinite(IReadOnlyList<Tensor> losses, double? maxNorm)
    {
        StepCount++;
        using var scope = NewDisposeScope();
        using var still = no_grad();
        using var norm = maxNorm is null ? null : GradientNorm.OnDevice(Weights);
        var numbers = stack(norm is null ? losses : [.. losses, norm]);
        var isSkipped = numbers.isfinite().all().logical_not().to(ScalarType.Float32);
        var scale = norm is null ? ones_like(isSkipped) : ((norm + 1e-6) / maxNorm!.Value).clamp_min(1);
        Apply(scale, isSkipped);
        foreach (var loss in losses) loss.Dispose();
        return numbers.DetachFromDisposeScope();
    }

    /// <summary>Does not count the last step: the device has not made it.</summary>
    internal void TakeBack() => StepCount--;

    private protected override bool Apply(double gradientFactor)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        using var scale = full(1, 1 / gradientFactor, ScalarType.Float32, _weights.Device).squeeze();
        using var never = zeros_like(scale);
        Apply(scale, never);
        return true;
    }

    /// <summary>Changes the weights with gradients that are divided by a scale first; nothing where <paramref name="isSkipped"/> is 1.</summary>
    private void Apply(Tensor scale, Tensor isSkipped)
    {
        _weights.TakeFromHost();
        var (averages, squares) = (_averages.OnDevice, _squares.OnDevice);
        using var steps = full(1, StepCount, ScalarType.Float32, _weights.Device).squeeze();
        // Runs with the same rate and decay go together, in one launch.
        foreach (var group in Trained.Layout().GroupBy(run => (run.RateFactor, run.Decays)))
        {
            List<Tensor> Parts(Tensor flat, Func<TrainedWeights.Run, long> first) => [.. group.Select(run => flat.narrow(0, first(run), run.Count))];
            var values = Parts(_weights.Values, run => run.Offset);
            Operators.FusedAdamW(
                values, Parts(_weights.Gradients, run => run.Offset), Parts(averages, run => run.Place), Parts(squares, run => run.Place), [.. values.Select(_ => steps)],
                new(LearningRate * group.Key.RateFactor, _beta1, _beta2, _epsilon, group.Key.Decays ? _weightDecay : 0), scale, isSkipped);
        }
        _weights.SetChanged();
    }
}
