using Attune.Distributed;
using Attune.Models;
using Attune.Native;
using Attune.Optimization;
using Attune.Profiling;
using static TorchSharp.torch;

namespace Attune.Training;

/// <summary>
/// Where a device computes: gradients and losses are summed where they are when backward is over, tables whole. Losses stay there, so the device still decides by itself whether an update is made,
/// and on all processes alike.
/// </summary>
/// <param name="sums">Over the processes; belongs to this from now on.</param>
/// <param name="weights">On the device.</param>
/// <param name="trained">What the optimizer trains.</param>
internal sealed class DeviceGradientExchange(DeviceSums sums, DeviceWeights weights, TrainedWeights trained) : GradientExchange
{
    internal override BatchLoss[] Sum(BatchLoss[] losses)
    {
        using var time = Profiler.Measure("exchange");
        using var scope = NewDisposeScope();
        using var still = no_grad();
        weights.Change(gradients =>
        {
            foreach (var run in trained.Layout()) sums.Add(gradients.narrow(0, run.Offset, run.Count));
        });
        // A process without a row in a batch knows that it has lost nothing; the others' losses are on their devices.
        var numbers = stack([.. losses.Select(loss => loss.OnDevice ?? LibTorch.Sent(tensor((float)loss.Value), weights.Device))]);
        foreach (var loss in losses) loss.OnDevice?.Dispose();
        sums.Add(numbers);
        sums.End();
        return [.. Enumerable.Range(0, losses.Length).Select(batch => BatchLoss.Of(numbers.select(0, batch).clone().DetachFromDisposeScope()))];
    }

    public override void Dispose() => sums.Dispose();
}
