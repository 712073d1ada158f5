using Attune.Native;

namespace Attune.Cli;

/// <summary>Where and with how many cores libtorch computes.</summary>
internal static class Compute
{
    /// <summary>Threads in use.</summary>
    internal static int Threads => LibTorch.Threads;

    /// <summary>Refuses a device or a number of threads that cannot be had.</summary>
    /// <exception cref="AttuneException">The device is not there.</exception>
    internal static void Check(ModelArguments from, bool useCpu = false)
    {
        if (useCpu && from.Device is not ("auto" or "cpu")) throw new AttuneException($"use_cpu is set, but device is {from.Device}; leave one of them out.");
        if (from.Device is not ("auto" or "cpu"))
            throw new AttuneException($"device is {from.Device}, but this build computes on the CPU only; give --device cpu or auto.");
        if (from.Threads < 1) throw new AttuneException($"threads is {from.Threads}; it must be at least 1.");
    }

    /// <summary>Begins to load libtorch while something else is done.</summary>
    internal static void Begin() => LibTorch.BeginLoading();

    /// <summary>Loads libtorch with the cores asked for.</summary>
    /// <exception cref="AttuneException">The device is not there, or libtorch cannot be loaded.</exception>
    internal static void Start(ModelArguments from)
    {
        Check(from);
        // libtorch counts the machine's cores; .NET also knows what a container may use of them.
        LibTorch.Threads = from.Threads ?? ProcessGroup.Cores();
    }

    /// <summary>Waits for what <see cref="Begin"/> began; before the process ends.</summary>
    internal static void End() => LibTorch.FinishLoading();
}
