using Attune.Kernels;

namespace Attune.Models;

/// <summary>Evenly distributed numbers as a pure function of seed and name, as <see cref="NormalNumbers"/>.</summary>
internal static unsafe class UniformNumbers
{
    private const int Block = 1 << 12;

    /// <summary>Numbers between -bound and bound.</summary>
    internal static void Fill(Span<float> numbers, double bound, ulong seed, string name)
    {
        var key = Philox.Key(seed, name);
        var raw = new uint[Philox.Room(Block)];
        fixed (uint* random = raw)
            for (var first = 0; first < numbers.Length; first += Block)
            {
                Philox.Fill(random, Block, key, (uint)(first / Block), 0, 0);
                var block = numbers[first..Math.Min(numbers.Length, first + Block)];
                for (var i = 0; i < block.Length; i++) block[i] = (float)(bound * (2 * ((random[i] + 0.5) / 4294967296.0) - 1));
            }
    }
}
