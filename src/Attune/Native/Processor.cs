using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text;

namespace Attune.Native;

/// <summary>What decides which kernels are used and is not among the runtime's own questions.</summary>
internal static class Processor
{
    private const int Bf16Bit = 5, AmxBf16Bit = 22;

    /// <summary>Whether it is one of Intel's, for which the library behind libtorch's products is made.</summary>
    internal static bool IsIntel { get; } = X86Base.IsSupported && IsVendor(0x756E6547, 0x49656E69, 0x6C65746E);            // "Genu", "ineI", "ntel"

    /// <summary>Whether it multiplies matrices of bfloat16 with instructions of its own (AVX512_BF16 or AMX); unknown, so false, on other architectures.</summary>
    internal static bool HasBFloat16 { get; } = Avx512F.IsSupported && HasFeature();

    /// <summary>Its name and, on x64, the number of its family, model and stepping; elsewhere the architecture.</summary>
    internal static string Name { get; } = X86Base.IsSupported ? NameOfX86() : RuntimeInformation.ProcessArchitecture.ToString();

    /// <summary>The cores that this process may run on, as Linux lists them; empty elsewhere.</summary>
    internal static string Allowed
    {
        get
        {
            const string name = "Cpus_allowed_list:", status = "/proc/self/status";
            return File.Exists(status) && File.ReadLines(status).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal)) is { } line ? line[name.Length..].Trim() : "";
        }
    }

    private static string NameOfX86()
    {
        const uint names = 0x80000000, first = 0x80000002, count = 3;
        var (number, _, _, _) = X86Base.CpuId(1, 0);
        var text = new StringBuilder();
        if ((uint)X86Base.CpuId(unchecked((int)names), 0).Eax >= first + count - 1)
            for (var i = 0u; i < count; i++)
            {
                var (a, b, c, d) = X86Base.CpuId(unchecked((int)(first + i)), 0);
                int[] registers = [a, b, c, d];
                text.Append(Encoding.ASCII.GetString(MemoryMarshal.AsBytes<int>(registers)));
            }
        return string.Create(CultureInfo.InvariantCulture, $"{text.ToString().Trim(' ', '\0')} {number:x}");
    }

    private static bool IsVendor(int first, int middle, int last)
    {
        var (_, b, c, d) = X86Base.CpuId(0, 0);
        return (b, d, c) == (first, middle, last);
    }

    private static bool HasFeature()
    {
        const int features = 7;
        if (X86Base.CpuId(0, 0).Eax < features) return false;
        return (X86Base.CpuId(features, 1).Eax >> Bf16Bit & 1) != 0 || (X86Base.CpuId(features, 0).Edx >> AmxBf16Bit & 1) != 0;
    }
}
