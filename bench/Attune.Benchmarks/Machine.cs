using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Attune.Benchmarks;

/// <summary>The machine that a check runs on, as far as the figures depend on it.</summary>
internal static class Machine
{
    private const double Gibibyte = 1 << 30;

    /// <summary>The most memory that this process has ever had resident, in bytes.</summary>
    internal static long PeakMemoryBytes => Line("/proc/self/status", "VmHWM") is { } text
        ? long.Parse(text.Split(' ')[0], CultureInfo.InvariantCulture) * 1024
        : Environment.WorkingSet;

    /// <summary>What it is.</summary>
    internal static SortedDictionary<string, object> Facts => new(StringComparer.Ordinal)
    {
        ["processor"] = Processor,
        ["cores"] = Environment.ProcessorCount,
        ["vectors"] = Vectors,
        ["memory_gib"] = Math.Round(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / Gibibyte),
        ["system"] = Line("/etc/os-release", "PRETTY_NAME", '=')?.Trim('"') ?? RuntimeInformation.OSDescription,
        ["runtime"] = RuntimeInformation.FrameworkDescription,
    };

    private static string Processor => Line("/proc/cpuinfo", "model name") ?? RuntimeInformation.ProcessArchitecture.ToString();

    private static string Vectors => Avx512F.IsSupported ? "AVX-512" : Avx2.IsSupported ? "AVX2" : "other";

    /// <summary>Writes what it is and how busy it is.</summary>
    /// <param name="facts">Of the check.</param>
    /// <param name="when">Before or after.</param>
    internal static void Describe(SortedDictionary<string, object> facts, string when)
    {
        (facts["processor"], facts["cores"], facts["vectors"]) = (Processor, Environment.ProcessorCount, Vectors);
        if (File.Exists("/proc/loadavg"))
            facts["load_average_" + when] = double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture);
    }

    private static string? Line(string file, string key, char separator = ':') => !File.Exists(file) ? null : File.ReadLines(file)
        .Where(line => line.StartsWith(key, StringComparison.Ordinal))
        .Select(line => line[(line.IndexOf(separator, StringComparison.Ordinal) + 1)..].Trim())
        .FirstOrDefault();
}
