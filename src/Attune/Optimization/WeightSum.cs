using System.Numerics;
using Attune.Kernels;
using Attune.Models;
using Attune.Native;

namespace Attune.Optimization;

/// <summary>A checksum of all weights of a model, quick enough to be taken between updates: it says whether two processes have the same bits, and nothing else. Of weights on a device it is another one.</summary>
internal static unsafe class WeightSum
{
    private const ulong Odd = 0x9E3779B97F4A7C15;                          // 2^64 divided by the golden ratio

    /// <summary>The sum, with every row of the tables up to date.</summary>
    internal static ulong Of(WeightStore weights)
    {
        if (weights.OnDevice is { } device)
        {
            device.TakeFromHost();
            return (ulong)Operators.SumOfBits(device.Values);               // there, and without a way of all weights to the host
        }
        const int block = 1 << 16;
        var (values, count) = ((nint)LibTorch.Floats(weights.UpToDateValues()), weights.Count);
        var sums = new ulong[checked((int)((count + block - 1) / block))];
        CpuLoop.Pieces(sums.Length, block, (_, from, to) =>
        {
            for (var i = from; i < to; i++) sums[i] = Of((uint*)values + (long)i * block, (int)Math.Min(block, count - (long)i * block));
        });
        return sums.Aggregate(Odd, (sum, next) => BitOperations.RotateLeft(sum ^ next, 29) * Odd);
    }

    private static ulong Of(uint* values, int count)
    {
        ulong a = 1, b = 2, c = 3, d = 4;
        var i = 0;
        for (; i <= count - 4; i += 4)
        {
            a = BitOperations.RotateLeft(a ^ values[i], 31) * Odd;
            b = BitOperations.RotateLeft(b ^ values[i + 1], 31) * Odd;
            c = BitOperations.RotateLeft(c ^ values[i + 2], 31) * Odd;
            d = BitOperations.RotateLeft(d ^ values[i + 3], 31) * Odd;
        }
        for (; i < count; i++) a = BitOperations.RotateLeft(a ^ values[i], 31) * Odd;
        return ((a * Odd ^ b) * Odd ^ c) * Odd ^ d;
    }
}
