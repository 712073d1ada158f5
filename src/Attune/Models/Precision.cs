namespace Attune.Models;

/// <summary>The type in which the products of the encoder's layers are computed. Weights, sums, everything else and the head stay float32.</summary>
public enum Precision
{
    /// <summary>float32: 24 significant bits.</summary>
    Float32,

    /// <summary>bfloat16: 8 significant bits, the range of float32. Twice as fast where the processor has instructions for it.</summary>
    BFloat16,

    /// <summary>
    /// float16: 11 significant bits, and nothing above 65504. On a processor it is imitated, by rounding what goes into products and what comes out of them, and is
    /// slower than float32: it is there to try out a run that is meant for a graphics card.
    /// </summary>
    Float16,
}
