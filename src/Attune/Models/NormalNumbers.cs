using Attune.Kernels;

namespace Attune.Models;

/// <summary>Normally distributed numbers as a pure function of seed and name (Box and Muller's transformation of Philox).</summary>
internal static unsafe class NormalNumbers
{
    private const int Block = 1 << 14;

    internal static void Fill(Span<float> numbers, double deviation, ulong seed, string name)
    {
        var key = Philox.Key(seed, name);
        var count = numbers.Length;
        fixed (float* first = numbers)
        {
            var start = first;
            CpuLoop.Pieces((count + Block - 1) / Block, 16L * Block, (_, from, to) =>
            {
                var raw = new uint[Philox.Room(Block)];
                fixed (uint* random = raw)
                    for (var block = from; block < to; block++)
                    {
                        Philox.Fill(random, Block, key, (uint)block, 0, 0);
                        var room = Math.Min(Block, count - block * Block);
                        for (var i = 0; i < room; i += 2)
                        {
                            var (x, y) = Pair(random[i], random[i + 1], deviation);
                            start[(long)block * Block + i] = x;
                            if (i + 1 < room) start[(long)block * Block + i + 1] = y;
                        }
                    }
            });
        }
    }

    private static (float, float) Pair(uint a, uint b, double deviation)
    {
        var radius = deviation * Math.Sqrt(-2 * Math.Log((a + 0.5) / 4294967296.0));
        var (sin, cos) = MathF.SinCos((float)(2 * Math.PI / 4294967296.0) * b);
        return ((float)radius * cos, (float)radius * sin);
    }
}
