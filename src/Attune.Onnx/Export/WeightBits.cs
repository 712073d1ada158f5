using System.Runtime.Intrinsics.X86;

namespace Attune.Onnx.Export;

/// <summary>How many bits whole-number weights may have.</summary>
internal static class WeightBits
{
    /// <summary>What sums on this processor are exact with.</summary>
    internal static int OfThisProcessor => IsSaturating ? 7 : 8;

    /// <summary>
    /// Whether products of 8 bits are summed up in pairs to 16 bits, which saturate: two of 255 x 127 come to more than 32767. So it is on x86
    /// processors without VNNI; with 7 bits two of 255 x 63 fit.
    /// </summary>
    internal static bool IsSaturating => Sse2.IsSupported && !HasVnni;

    /// <summary>VNNI of either kind. Leaf 7 of CPUID tells: bit 11 of ECX for that of AVX-512, and in its second part bit 4 of EAX for that of AVX.</summary>
    private static bool HasVnni
    {
        get
        {
            if (X86Base.CpuId(0, 0).Eax < 7) return false;
            var (parts, _, features, _) = X86Base.CpuId(7, 0);
            var isWide = (features >> 11 & 1) != 0 && Avx512F.IsSupported;
            return isWide || parts >= 1 && Avx2.IsSupported && (X86Base.CpuId(7, 1).Eax >> 4 & 1) != 0;
        }
    }
}
