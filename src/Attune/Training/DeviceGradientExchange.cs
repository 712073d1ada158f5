using Attune.Distributed;
using Attune.Models;
using Attune.Native;
using Attune.Optimization;
using Attune.Profiling;
using static TorchSharp.torch;

namespace Attune.Training;

/// <summary>
/// Where a device computes: gradients and losses are summed where they are, tables whole. Losses stay there, so the device still decides by itself whether an update is made, and on all processes alike.
/// </summary>
internal sealed class DeviceGradientExchange : GradientExchange
{
    private readonly DeviceSums _sums;
    private readonly PreTrainedModel _model;
    private readonly DeviceWeights _weights;
    private readonly int _rank;
    private readonly List<Stretch> _shared;                                // whose steps the processes share out

    /// <param name="processes">That train together.</param>
    /// <param name="sums">Over them; belongs to this from now on.</param>
    /// <param name="model">On a device.</param>
    /// <param name="trained">What the optimizer trains.</param>
    internal DeviceGradientExchange(Communicator processes, DeviceSums sums, PreTrainedModel model, TrainedWeights trained) : base(processes, model, trained, sendsTables: true)
    {
        (_sums, _model, _weights, _rank, _shared) = (sums, model, model.Weights.OnDevice!, processes.Rank, trained.IsPart ? Stretches(trained.All) : []);
        model.Encoder.TellsPartsOnDevice = true;
    }

    internal override TimeSpan? Waited => _sums.Waited;

    internal override BatchLoss[] Sum(BatchLoss[] losses)
    {
        using var time = Profiler.Measure("exchange");
        using var scope = NewDisposeScope();
        using var still = no_grad();
        BeginRest();
        // A process without a row in a batch knows that it has lost nothing; the others' losses are on their devices.
        var numbers = stack([.. losses.Select(loss => loss.OnDevice ?? LibTorch.Sent(tensor((float)loss.Value), _weights.Device))]);
        foreach (var loss in losses) loss.OnDevice?.Dispose();
        _sums.Begin(numbers);
        _sums.End();
        return [.. Enumerable.Range(0, losses.Length).Select(batch => BatchLoss.Of(numbers.select(0, batch).clone().DetachFromDisposeScope()))];
    }

    /// <summary>Each adds what it has made to zeros in the place of what others have: any way of adding up can do that, and the bits stay, but for the sign of a zero.</summary>
    internal override void CollectWeights()
    {
        if (_shared.Count == 0) return;
        using var time = Profiler.Measure("exchange");
        using var scope = NewDisposeScope();
        using var still = no_grad();
        _weights.TakeFromHost();
        foreach (var stretch in _shared)
        {
            var values = _weights.Values.narrow(0, stretch.Offset, stretch.Count);
            var (first, end) = (stretch.Parts.First(_rank), stretch.Parts.First(_rank) + stretch.Parts.Count(_rank));
            values.narrow(0, 0, first).zero_();
            values.narrow(0, end, stretch.Count - end).zero_();
            _sums.Begin(values);
        }
        _sums.End();
        _weights.SetChanged();
    }

    public override void Dispose()
    {
        Unfollow();
        _model.Encoder.TellsPartsOnDevice = false;
        _sums.Dispose();
    }

    private protected override void Begin(Stretch stretch)
    {
        _weights.EndBackward(stretch.Offset, stretch.Count);
        _weights.Change(gradients =>
        {
            using var part = gradients.narrow(0, stretch.Offset, stretch.Count);
            _sums.Begin(part);
        });
    }
}
