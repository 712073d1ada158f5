namespace Attune.Datasets;

/// <summary>Random orders that depend on the seed alone, on every machine and version of .NET.</summary>
internal static class SeededOrder
{
    /// <summary>The numbers 0 to n-1 in random order (Fisher and Yates, drawn from SplitMix64).</summary>
    internal static int[] Permutation(int n, ulong seed)
    {
        var order = new int[n];
        for (var i = 0; i < n; i++) order[i] = i;
        Shuffle(order, seed);
        return order;
    }

    /// <summary>Puts the items in random order, in place.</summary>
    internal static void Shuffle(Span<int> items, ulong seed)
    {
        var state = seed;
        for (var i = items.Length - 1; i > 0; i--)
        {
            // The high half of a 64 x 64 bit product maps the draw to 0..i; its bias is below i / 2^64.
            var j = (int)Math.BigMul(Next(ref state), (ulong)(i + 1), out _);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    // Steele, Lea, Flood: Fast splittable pseudorandom number generators (2014), the constants of SplitMix64.
    private static ulong Next(ref ulong state)
    {
        var z = state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
