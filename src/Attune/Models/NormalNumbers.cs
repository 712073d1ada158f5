using System.Security.Cryptography;
using System.Text;
using Attune.Kernels;

namespace Attune.Models;

/// <summary>Normally distributed numbers as a pure function of seed and name (Box and Muller's transformation of Philox).</summary>
internal static class NormalNumbers
{
    internal static void Fill(Span<float> numbers, double deviation, ulong seed, string name)
    {
        var key = BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes($"{seed}/{name}")));
        Span<float> four = stackalloc float[4];
        for (var i = 0; i < numbers.Length; i += 4)
        {
            var (a, b, c, d) = Philox.Block(key, (uint)(i / 4), (uint)((ulong)i >> 34), 0, 0);
            (four[0], four[1]) = Pair(a, b, deviation);
            (four[2], four[3]) = Pair(c, d, deviation);
            four[..Math.Min(4, numbers.Length - i)].CopyTo(numbers[i..]);
        }
    }

    private static (float, float) Pair(uint a, uint b, double deviation)
    {
        var radius = deviation * Math.Sqrt(-2 * Math.Log((a + 0.5) / 4294967296.0));
        var (sin, cos) = Math.SinCos(2 * Math.PI * b / 4294967296.0);
        return ((float)(radius * cos), (float)(radius * sin));
    }
}
