using Attune.Native;

namespace Attune.Cli;

/// <summary>Where and with how many cores libtorch computes.</summary>
internal static class Compute
{
    /// <summary>Threads in use.</summary>
    internal static int Threads => LibTorch.Threads;

    /// <summary>Refuses a device or a number of threads that cannot be had. libtorch is loaded where a card must be looked for.</summary>
    /// <param name="device">The word for it.</param>
    /// <param name="threads">Null for those of the machine.</param>
    /// <exception cref="UsageException">The word names no device.</exception>
    /// <exception cref="AttuneException">The device is not there.</exception>
    internal static void Check(string device, int? threads)
    {
        UsageException.Check(() => ComputeDevice.Check(device));
        if (device != ComputeDevice.Auto) _ = ComputeDevice.Find(device);  // auto finds one in any case
        if (threads < 1) throw new AttuneException($"threads is {threads}; it must be at least 1.");
    }

    /// <summary>Begins to load libtorch while something else is done.</summary>
    internal static void Begin() => LibTorch.BeginLoading();

    /// <summary>Loads libtorch with the cores asked for.</summary>
    /// <param name="device">The word for the device.</param>
    /// <param name="threads">Null for those of the machine.</param>
    /// <exception cref="AttuneException">The device is not there, or libtorch cannot be loaded.</exception>
    internal static void Start(string device, int? threads)
    {
        Check(device, threads);
        // libtorch counts the machine's cores; .NET also knows what a container may use of them.
        LibTorch.Threads = threads ?? ProcessGroup.Cores();
    }

    /// <summary>Waits for what <see cref="Begin"/> began; before the process ends.</summary>
    internal static void End() => LibTorch.FinishLoading();
}
