using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using Attune.Native;

namespace Attune.Diagnostics;

/// <summary>Runtime, processor and memory.</summary>
internal static class ProcessorChecks
{
    /// <summary>Peak of training BERT-base on short sentences, batch 16.</summary>
    private const long EnoughForBase = 3L << 30;

    private const long EnoughForSmall = 1L << 30;

    internal static Check Runtime()
    {
        var found = $"{RuntimeInformation.FrameworkDescription} on {RuntimeInformation.OSDescription.Trim()}, {RuntimeInformation.RuntimeIdentifier}";
        return RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.Arm64
            ? Check.Ok("Runtime", found)
            : Check.Broken("Runtime", found, "Use a 64-bit system: libtorch exists for x64, and on macOS for arm64.");
    }

    /// <summary>Whether .NET has the library for languages that it wants, where it wants one.</summary>
    internal static Check Languages(bool isInvariant, bool hasIcu) =>
        isInvariant ? Check.Ok("Languages", "texts are handled without ICU, the same on every machine")
        : hasIcu ? Check.Ok("Languages", "ICU is there")
        : Check.Broken("Languages", "ICU is missing", "Install it, for instance with \"apt-get install libicu72\", or set DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1.");

    internal static Check Languages() => Languages(
        AppContext.TryGetSwitch("System.Globalization.Invariant", out var isInvariant) && isInvariant,
        !OperatingSystem.IsLinux() || File.ReadLines("/proc/self/maps").Any(line => line.Contains("libicuuc", StringComparison.Ordinal)));

    internal static Check Instructions()
    {
        const string name = "Processor";
        if (AdvSimd.IsSupported) return Check.Ok(name, "NEON");
        if (Avx512F.IsSupported) return Check.Ok(name, Processor.HasBFloat16 ? "AVX-512, bfloat16 (bf16 is worth while)" : "AVX-512");
        return Avx2.IsSupported && Fma.IsSupported
            ? Check.Ok(name, "AVX2")
            : Check.Warning(name, "without AVX2",
                "Training is several times slower here; use a processor from 2015 or later, or let the virtual machine pass its instructions on.");
    }

    /// <summary>Cores that this process may use, beside those that the machine has.</summary>
    internal static Check Cores(int allowed, int? machine)
    {
        const string name = "Cores";
        if (machine is null || machine <= allowed) return Check.Ok(name, $"{allowed}");
        return Check.Ok(name, $"{allowed} of the machine's {machine}, by the limits of this container or process; Attune uses {allowed} threads");
    }

    internal static Check Memory(long bytes)
    {
        const string name = "Memory";
        var found = string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):0.0} GiB for this process");
        return bytes switch
        {
            >= EnoughForBase => Check.Ok(name, found),
            >= EnoughForSmall => Check.Warning(name, found, "That is enough for small models; BERT-base needs about 3 GiB to train."),
            _ => Check.Broken(name, found, "Give the container or machine at least 1 GiB."),
        };
    }

    internal static int? CoresOfMachine()
    {
        const string file = "/proc/cpuinfo";
        if (!File.Exists(file)) return null;
        var count = File.ReadLines(file).Count(line => line.StartsWith("processor", StringComparison.Ordinal));
        return count > 0 ? count : null;
    }
}
