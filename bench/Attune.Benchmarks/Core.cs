using System.Diagnostics;
using System.Numerics;

namespace Attune.Benchmarks;

/// <summary>The lowest core that this process may use: where both sides of a comparison on one core are measured.</summary>
internal static class Core
{
    /// <summary>Measures on it, with this thread and those it starts; on all cores where the system cannot bind a process.</summary>
    internal static void Only(Action measure)
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsWindows())
        {
            measure();
            return;
        }
        using var process = Process.GetCurrentProcess();
        var before = process.ProcessorAffinity;
        try
        {
            process.ProcessorAffinity = (nint)(1L << BitOperations.TrailingZeroCount((long)before));
            measure();
        }
        finally
        {
            process.ProcessorAffinity = before;
        }
    }

    /// <summary>Runs a program on it, where the system has a command for that. Returns its output.</summary>
    /// <exception cref="AttuneException">It is not on this machine, or fails.</exception>
    internal static string Run(string program, params string[] arguments)
    {
        string[] words = [program, .. arguments];
        if (OperatingSystem.IsLinux() && File.Exists("/usr/bin/taskset"))
        {
            using var self = Process.GetCurrentProcess();
            words = ["taskset", "-c", $"{BitOperations.TrailingZeroCount((long)self.ProcessorAffinity)}", .. words];
        }
        return Command.Run("the measurement needs it, so install it (node and npm come with Node.js)", words);
    }
}
