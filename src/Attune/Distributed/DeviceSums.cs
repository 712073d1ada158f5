using System.Text;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Distributed;

/// <summary>Adds up numbers of a device over the processes: between graphics cards by NCCL, where each process has one of its own, else through the processor's memory.</summary>
internal abstract class DeviceSums : IDisposable
{
    /// <summary>How long this process has waited for the others; null where nobody waits.</summary>
    internal virtual TimeSpan? Waited => null;

    /// <summary>Begins to add up floats in place, when the device has done what it was asked for before. Until <see cref="End"/> nobody else may touch them.</summary>
    internal abstract void Begin(Tensor values);

    /// <summary>What the device is asked for from now on sees the sums of all that was begun.</summary>
    internal abstract void End();

    public abstract void Dispose();

    /// <summary>The fastest way that all processes have.</summary>
    /// <param name="processes">More than one.</param>
    /// <param name="device">Of this process.</param>
    /// <param name="notice">Is told where cards do not reach each other by NCCL.</param>
    /// <exception cref="AttuneException">NCCL is there and fails.</exception>
    internal static DeviceSums Of(Communicator processes, Device device, Action<string> notice)
    {
        var context = device.type == TorchSharp.DeviceType.CUDA ? CardContext.Of(Math.Max(0, device.index)) : null;
        return Of(processes, context, context is null ? null : NcclLibrary.Find(), device.type == TorchSharp.DeviceType.CUDA ? notice : _ => { });
    }

    /// <summary>The same with what this process has.</summary>
    /// <param name="processes">More than one.</param>
    /// <param name="card">Its card; null for none.</param>
    /// <param name="nccl">Its NCCL; null for none.</param>
    /// <param name="notice">As above.</param>
    internal static DeviceSums Of(Communicator processes, CardContext? card, NcclLibrary? nccl, Action<string> notice)
    {
        var said = Array.ConvertAll(processes.GatherAll(Encoding.UTF8.GetBytes($"{card?.Uuid()}/{nccl?.Version}"), Communicator.Long), bytes => Encoding.UTF8.GetString(bytes).Split('/'));
        var cardless = Array.FindIndex(said, one => one[0].Length == 0);
        var why = cardless >= 0 ? $"the driver of {processes.NameOf(cardless)} does not give its card"
            : Array.FindIndex(said, one => one[1].Length == 0) is >= 0 and var without ? $"{processes.NameOf(without)} has no NCCL (libnccl.so.2; {NcclLibrary.NameVariable} names it)"
            : said.Select(one => one[1]).Distinct().Count() > 1 ? $"their versions of NCCL differ ({string.Join(", ", said.Select(one => one[1]).Distinct())})"
            : said.Select(one => one[0]).Distinct().Count() < said.Length ? "some of them have the same card"
            : null;
        if (why is null && card is not null && nccl is not null) return new NcclSums(processes, card, nccl);
        card?.Dispose();
        notice($"Gradients go from card to card through the processor's memory, by MPI: {why}.");
        return new HostSums(processes);
    }
}
