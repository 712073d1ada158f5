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
    private readonly Tensor _averages, _squares;
    private bool _isHostStale = true, _mayHostHaveChanged;

    /// <inheritdoc cref="AdamW(WeightStore, double, double, double, double, double)"/>
    internal FusedAdamW(WeightStore weights, double learningRate, double beta1, double beta2, double epsilon, double weightDecay) : base(weights, learningRate)
    {
        (_beta1, _beta2, _epsilon, _weightDecay, _weights) = (beta1, beta2, epsilon, weightDecay, weights.OnDevice!);
        (_averages, _squares) = (Zeros(), Zeros());

        Tensor Zeros()
        {
            var state = LibTorch.Empty(ScalarType.Float32, _weights.Device, Trained.Count);
            state.zero_();
            return state;
        }
    }

    internal override string Kind => "AdamW";

    internal override long StateSize => _averages.NumberOfElements + _squares.NumberOfElements;

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
        _mayHostHaveChanged = true;
        if (!_isHostStale) return;
        HostState(Averages).copy_(_averages);
        HostState(Squares).copy_(_squares);
        _isHostStale = false;
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
        if (_mayHostHaveChanged)
        {
            _averages.copy_(HostState(Averages));
            _squares.copy_(HostState(Squares));
            _mayHostHaveChanged = false;
        }
        using var steps = full(1, StepCount, ScalarType.Float32, _weights.Device).squeeze();
        // Runs with the same rate and decay go together, in one launch.
        foreach (var group in Trained.Layout().GroupBy(run => (run.RateFactor, run.Decays)))
        {
            List<Tensor> Parts(Tensor flat, Func<TrainedWeights.Run, long> first) => [.. group.Select(run => flat.narrow(0, first(run), run.Count))];
            var values = Parts(_weights.Values, run => run.Offset);
            Operators.FusedAdamW(
                values, Parts(_weights.Gradients, run => run.Offset), Parts(_averages, run => run.Place), Parts(_squares, run => run.Place), [.. values.Select(_ => steps)],
                new(LearningRate * group.Key.RateFactor, _beta1, _beta2, _epsilon, group.Key.Decays ? _weightDecay : 0), scale, isSkipped);
        }
        _weights.SetChanged();
        _isHostStale = true;
    }

    private Tensor HostState(string name) => FindState(name) ?? NewState(name, Trained.Count);
}
