using System.ComponentModel;
using System.Diagnostics;

namespace Attune.Benchmarks;

/// <summary>Another program that a check needs.</summary>
internal static class Command
{
    /// <summary>Runs it to its end; gives its standard output.</summary>
    /// <param name="remedy">What to do where the program is not on this machine.</param>
    /// <param name="words">Its name and arguments.</param>
    /// <exception cref="AttuneException">It is not there, or it fails.</exception>
    internal static string Run(string remedy, string[] words)
    {
        var start = new ProcessStartInfo(words[0], words[1..]) { RedirectStandardOutput = true };
        start.Environment["TOKENIZERS_PARALLELISM"] = "false";
        try
        {
            using var process = Process.Start(start)!;
            var text = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? text : throw new AttuneException(
                $"\"{string.Join(' ', words)}\" ended with {process.ExitCode}: {text.Trim()}");
        }
        catch (Win32Exception e)
        {
            throw new AttuneException($"{words[0]} is not on this machine: {remedy}.", e);
        }
    }
}
