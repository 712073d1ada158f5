using Attune.Distributed;
using Attune.Models;
using Attune.Native;

namespace Attune.Training;

/// <summary>Which device computes: the one that is asked for.</summary>
internal static class DevicePlacement
{
    /// <summary>Moves the model to the device of a run or an evaluation, before that begins.</summary>
    /// <param name="asked">The word for the device; <c>auto</c> takes the processor where a card cannot be used after all.</param>
    /// <param name="model">May have been moved before, for an evaluation or by a test.</param>
    /// <param name="processes">That compute together.</param>
    /// <param name="notice">Is told where a card is there and not used.</param>
    /// <exception cref="AttuneException">There is no such device.</exception>
    internal static void Place(string asked, PreTrainedModel model, Communicator processes, Action<string> notice)
    {
        var process = processes.NumberOnMachine();
        if (model.Weights.OnDevice is null) Place(asked, model, notice, process);
        if (processes.Size == 1) return;
        // Sums need one kind of device: where a process has found no card, none takes one.
        var without = Array.FindIndex(processes.GatherAll([model.Weights.OnDevice is null ? (byte)0 : (byte)1], Communicator.Long), said => said[0] == 0);
        if (without < 0 || model.Weights.OnDevice is not { } there) return;
        var why = new AttuneException($"{processes.NameOf(without)} has no card that it can compute with.");
        if (asked != ComputeDevice.Auto) throw why;
        notice(Instead(there.Device.ToString(), why));
        model.ComputeOnProcessor();
    }

    /// <summary>The same for who has a model and no Trainer.</summary>
    /// <param name="asked">As above.</param>
    /// <param name="model">On the processor so far.</param>
    /// <param name="notice">As above.</param>
    /// <param name="process">Number of this process among those on the same machine.</param>
    /// <exception cref="AttuneException">There is no such device.</exception>
    internal static void Place(string asked, PreTrainedModel model, Action<string> notice, int process = 0)
    {
        var device = ComputeDevice.Find(asked, process);
        if (!device.IsCuda) return;
        try
        {
            model.ComputeOn(device.ForTorch);
        }
        catch (AttuneException e) when (asked == ComputeDevice.Auto && !LibTorch.IsOutOfMemory(e))
        {
            notice(Instead(device.ToString(), e));
        }
    }

    private static string Instead(string device, AttuneException why) => $"The processor computes, and not {device}: {why.Message}";
}
