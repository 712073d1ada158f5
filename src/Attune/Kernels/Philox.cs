using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using System.Security.Cryptography;
using System.Text;

namespace Attune.Kernels;

/// <summary>
/// The counter-based generator Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011): each
/// number is a pure function of key and counter, so nothing is drawn in order and nothing has a state.
/// </summary>
internal static unsafe class Philox
{
    private const uint M0 = 0xD2511F53, M1 = 0xCD9E8D57, W0 = 0x9E3779B9, W1 = 0xBB67AE85;
    private const int Rounds = 10;

    /// <summary>The key of what is drawn under a name: the same for the same seed and name, on every machine.</summary>
    internal static ulong Key(ulong seed, string name) => BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes($"{seed}/{name}")));

    /// <summary>Room that <see cref="Fill"/> needs for so many numbers.</summary>
    internal static int Room(int count) => Quarter(count) * 4;

    /// <summary>
    /// Writes <paramref name="count"/> random numbers (rounded up to <see cref="Room"/>). Number <c>j * q + i</c>, where q is a quarter of
    /// the room, is word j of the block whose counter is (i, <paramref name="x1"/>, <paramref name="x2"/>, <paramref name="x3"/>).
    /// </summary>
    internal static void Fill(uint* numbers, int count, ulong key, uint x1, uint x2, uint x3)
    {
        var quarter = Quarter(count);
        if (Avx2.IsSupported)
        {
            for (var i = 0; i < quarter; i += Vector256<uint>.Count) Block8(numbers + i, quarter, (uint)i, key, x1, x2, x3);
            return;
        }

        for (var i = 0; i < quarter; i++)
        {
            var (a, b, c, d) = Block(key, (uint)i, x1, x2, x3);
            numbers[i] = a;
            numbers[quarter + i] = b;
            numbers[2 * quarter + i] = c;
            numbers[3 * quarter + i] = d;
        }
    }

    /// <summary>The four words of one counter.</summary>
    internal static (uint A, uint B, uint C, uint D) Block(ulong key, uint x0, uint x1, uint x2, uint x3)
    {
        uint k0 = (uint)key, k1 = (uint)(key >> 32);
        for (var round = 0; round < Rounds; round++, k0 += W0, k1 += W1)
        {
            ulong p0 = (ulong)M0 * x0, p1 = (ulong)M1 * x2;
            (x0, x1, x2, x3) = ((uint)(p1 >> 32) ^ x1 ^ k0, (uint)p1, (uint)(p0 >> 32) ^ x3 ^ k1, (uint)p0);
        }
        return (x0, x1, x2, x3);
    }

    private static int Quarter(int count) => ((count + 3) / 4 + 7) / 8 * 8;      // whole vectors of eight, whatever the processor has

    private static void Block8(uint* numbers, int quarter, uint first, ulong key, uint x1, uint x2, uint x3)
    {
        Vector256<uint> m0 = Vector256.Create(M0), m1 = Vector256.Create(M1);
        var c0 = Vector256.Create(first) + Vector256<uint>.Indices;
        Vector256<uint> c1 = Vector256.Create(x1), c2 = Vector256.Create(x2), c3 = Vector256.Create(x3);
        uint k0 = (uint)key, k1 = (uint)(key >> 32);
        for (var round = 0; round < Rounds; round++, k0 += W0, k1 += W1)
        {
            Vector256<uint> high0 = High(c0, m0), low0 = c0 * m0, high1 = High(c2, m1), low1 = c2 * m1;
            c0 = high1 ^ c1 ^ Vector256.Create(k0);
            c1 = low1;
            c2 = high0 ^ c3 ^ Vector256.Create(k1);
            c3 = low0;
        }
        c0.Store(numbers);
        c1.Store(numbers + quarter);
        c2.Store(numbers + 2 * quarter);
        c3.Store(numbers + 3 * quarter);
    }

    /// <summary>Upper halves of the eight products.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> High(Vector256<uint> a, Vector256<uint> b)
    {
        var even = Avx2.Multiply(a, b).AsUInt32();
        var odd = Avx2.Multiply(Avx2.ShiftRightLogical(a.AsUInt64(), 32).AsUInt32(), b).AsUInt32();
        return Avx2.Blend(Avx2.ShiftRightLogical(even.AsUInt64(), 32).AsUInt32(), odd, 0b10101010);
    }
}
