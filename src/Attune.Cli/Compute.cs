using Attune.Native;

namespace Attune.Cli;

/// <summary>Where and with how many cores libtorch computes.</summary>
internal static class Compute
{
    /// <summary>Threads in use.</summary>
    internal static int Threads => TorchSharp.torch.get_num_threads();

    /// <summary>Loads libtorch with the cores asked for.</summary>
    /// <exception cref="AttuneException">The device is not there, or libtorch cannot be loaded.</exception>
    internal static void Start(ModelArguments from)
    {
        if (from.Device is not ("auto" or "cpu"))
            throw new AttuneException($"device is {from.Device}, but this build computes on the CPU only; give --device cpu or auto.");
        // libtorch counts the machine's cores; .NET also knows what a container may use of them.
        var threads = from.Threads ?? Environment.ProcessorCount;
        if (threads < 1) throw new AttuneException($"threads is {threads}; it must be at least 1.");
        LibTorch.Load();
        TorchSharp.torch.set_num_threads(threads);
    }
}
