using System.Numerics;
using System.Runtime.CompilerServices;

namespace Attune.Kernels;

/// <summary>Conversions between float32 and bfloat16, which is its upper half.</summary>
internal static unsafe class BFloat16Conversion
{
    private const int Block = 1 << 12;                                     // so many squares are summed in single precision

    /// <summary>Rounds to the nearest, ties to even, as torch does.</summary>
    internal static void Round(float* from, ushort* to, long count) => CpuLoop.Stretches(count, 4, (first, end) =>
    {
        var i = first;
        for (; i <= end - 2 * Vector<uint>.Count; i += 2 * Vector<uint>.Count)
            Round(Vector.Load(from + i), Vector.Load(from + i + Vector<uint>.Count), to + i);
        for (; i < end; i++) to[i] = Round(from[i]);
    });

    /// <summary>Rounds two vectors that lie one after the other.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Round(Vector<float> first, Vector<float> second, ushort* to) => Vector.Store(Vector.Narrow(Upper(first), Upper(second)), to);

    /// <summary>Rounds one number.</summary>
    internal static ushort Round(float x) => (ushort)Upper(new Vector<float>(x))[0];

    /// <summary>Widens exactly.</summary>
    /// <param name="from">Elements.</param>
    /// <param name="to">Receives them, or is added to.</param>
    /// <param name="count">Number of elements.</param>
    /// <param name="accumulate">Whether <paramref name="to"/> is added to.</param>
    /// <param name="pastCache">Whether it is too large to be found in the caches when it is read next: then it is written past them.</param>
    /// <returns>Sum of the squares of what stands there now.</returns>
    internal static double Widen(ushort* from, float* to, long count, bool accumulate, bool pastCache = false)
    {
        pastCache &= (nint)to % (sizeof(float) * Vector<float>.Count) == 0;
        var squares = new double[checked((int)((count + Block - 1) / Block))];
        CpuLoop.Pieces(squares.Length, 4 * Block, (_, first, end) =>
        {
            for (var block = first; block < end; block++)
            {
                var at = (long)block * Block;
                squares[block] = WidenBlock(from + at, to + at, (int)Math.Min(Block, count - at), accumulate, pastCache);
            }
        });
        return squares.Sum();
    }

    private static double WidenBlock(ushort* from, float* to, int count, bool accumulate, bool pastCache)
    {
        Vector<float> sum = default;
        var i = 0;
        for (; i <= count - Vector<ushort>.Count; i += Vector<ushort>.Count)
        {
            Vector.Widen(Vector.Load(from + i), out var low, out var high);
            sum = Put(low, to + i, accumulate, pastCache, sum);
            sum = Put(high, to + i + Vector<float>.Count, accumulate, pastCache, sum);
        }
        double rest = 0;
        for (; i < count; i++)
        {
            var x = BitConverter.UInt32BitsToSingle((uint)from[i] << 16);
            to[i] = accumulate ? to[i] + x : x;
            rest += (double)to[i] * to[i];
        }
        return Vector.Sum(sum) + rest;
    }

    private static Vector<float> Put(Vector<uint> bits, float* to, bool accumulate, bool pastCache, Vector<float> squares)
    {
        var x = Vector.AsVectorSingle(bits << 16);
        if (accumulate) x += Vector.Load(to);
        if (pastCache) Vector.StoreAlignedNonTemporal(x, to);
        else Vector.Store(x, to);
        return Vector.FusedMultiplyAdd(x, x, squares);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<uint> Upper(Vector<float> x)
    {
        var bits = Vector.AsVectorUInt32(x);
        var rounded = (bits + new Vector<uint>(0x7FFF) + ((bits >> 16) & Vector<uint>.One)) >> 16;
        return Vector.ConditionalSelect(Vector.AsVectorUInt32(Vector.Equals(x, x)), rounded, new Vector<uint>(0x7FC0));
    }
}
