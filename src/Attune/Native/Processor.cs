using System.Runtime.Intrinsics.X86;

namespace Attune.Native;

/// <summary>What decides which kernels are used and is not among the runtime's own questions.</summary>
internal static class Processor
{
    private const int Bf16Bit = 5, AmxBf16Bit = 22;

    /// <summary>Whether it is one of Intel's, for which the library behind libtorch's products is made.</summary>
    internal static bool IsIntel { get; } = X86Base.IsSupported && IsVendor(0x756E6547, 0x49656E69, 0x6C65746E);            // "Genu", "ineI", "ntel"

    /// <summary>Whether it multiplies matrices of bfloat16 with instructions of its own (AVX512_BF16 or AMX); unknown, so false, on other architectures.</summary>
    internal static bool HasBFloat16 { get; } = Avx512F.IsSupported && HasFeature();

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
