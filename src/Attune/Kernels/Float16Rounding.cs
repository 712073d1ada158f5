using System.Numerics;

namespace Attune.Kernels;

/// <summary>Rounding of float32 to the numbers that float16 has; they stay float32. What is too large becomes infinite, and what is too small zero.</summary>
internal static unsafe class Float16Rounding
{
    /// <summary>float16 has 13 bits less for the digits.</summary>
    private const int BitsLess = 13;

    private const uint Digits = (1u << BitsLess) - 1;

    private const uint Sign = 1u << 31;

    /// <summary>Of float16, 2^-14: numbers below it lie 2^-24 apart.</summary>
    private const float SmallestNormal = 1f / (1 << 14);

    /// <summary>What follows the largest number that float16 has, 2^16.</summary>
    private const float FirstInfinite = 1 << 16;

    /// <summary>From here to 1 also the numbers of float32 lie 2^-24 apart, so that an addition rounds as float16 does below <see cref="SmallestNormal"/>.</summary>
    private const float SameDistance = 0.5f;

    /// <summary>Rounds to the nearest, ties to even.</summary>
    /// <param name="from">Elements.</param>
    /// <param name="to">Receives them, or is added to; may be <paramref name="from"/>.</param>
    /// <param name="count">Number of elements.</param>
    /// <param name="accumulate">Whether <paramref name="to"/> is added to.</param>
    internal static void Round(float* from, float* to, long count, bool accumulate = false) => CpuLoop.Stretches(count, 4, (first, end) =>
    {
        var i = first;
        for (; i <= end - Vector<float>.Count; i += Vector<float>.Count)
        {
            var x = Rounded(Vector.Load(from + i));
            Vector.Store(accumulate ? Vector.Load(to + i) + x : x, to + i);
        }
        for (; i < end; i++)
        {
            var x = Rounded(new Vector<float>(from[i]))[0];
            to[i] = accumulate ? to[i] + x : x;
        }
    });

    private static Vector<float> Rounded(Vector<float> x)
    {
        var bits = Vector.AsVectorUInt32(x);
        var sizeBits = bits & new Vector<uint>(~Sign);
        var size = Vector.AsVectorSingle(sizeBits);
        var normal = Vector.AsVectorSingle((sizeBits + new Vector<uint>(Digits >> 1) + ((sizeBits >> BitsLess) & Vector<uint>.One)) & new Vector<uint>(~Digits));
        normal = Vector.ConditionalSelect(Vector.GreaterThanOrEqual(normal, new Vector<float>(FirstInfinite)), new Vector<float>(float.PositiveInfinity), normal);
        var small = size + new Vector<float>(SameDistance) - new Vector<float>(SameDistance);
        var rounded = Vector.AsVectorUInt32(Vector.ConditionalSelect(Vector.LessThan(size, new Vector<float>(SmallestNormal)), small, normal));
        return Vector.ConditionalSelect(Vector.Equals(x, x), Vector.AsVectorSingle(rounded | (bits & new Vector<uint>(Sign))), x);
    }
}
