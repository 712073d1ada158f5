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
        var start = new ProcessStartInfo(words[0], words[1..]) { RedirectStandardOutput = true };
        start.Environment["TOKENIZERS_PARALLELISM"] = "false";
        try
        {
            using var process = Process.Start(start)!;
            var text = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? text : throw new AttuneException(
                $"\"{string.Join(' ', words)}\" ended with {process.ExitCode}: see its message above.");
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new AttuneException($"{program} is not on this machine, and the measurement needs it: install it (node and npm come with Node.js).", e);
        }
    }
}
