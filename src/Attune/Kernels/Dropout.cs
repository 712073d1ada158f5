using System.Numerics;

namespace Attune.Kernels;

/// <summary>
/// Dropout at one place of the network in one update. Which elements are dropped is a pure function of seed, update, place, the row's number
/// in the update and the token's index in its row, so it does not depend on packing, micro-batch size or number of processes, and
/// backward asks again instead of keeping a mask.
/// </summary>
internal readonly unsafe struct Dropout
{
    private readonly ulong _key;
    private readonly uint _place, _threshold;
    private readonly float _scale;

    /// <param name="probability">Share of elements set to zero; the others are multiplied by 1 / (1 - probability).</param>
    /// <param name="key">Mixed from seed and update, see <see cref="Key"/>.</param>
    /// <param name="place">Number of the place in the network.</param>
    internal Dropout(double probability, ulong key, int place)
    {
        _key = key;
        _place = (uint)place;
        _threshold = (uint)Math.Round(probability * uint.MaxValue);
        _scale = probability < 1 ? (float)(1 / (1 - probability)) : 0;
        IsActive = probability > 0;
    }

    /// <summary>No dropout.</summary>
    internal static Dropout None => default;

    internal bool IsActive { get; }

    /// <summary>One key for each pair of seed and update (the finalizer of SplitMix64, applied twice).</summary>
    internal static ulong Key(ulong seed, long update) => Mix(Mix(seed) ^ unchecked((ulong)update * 0x9E3779B97F4A7C15));

    /// <summary>Floats of working memory that <see cref="Factors"/> needs for so many elements.</summary>
    internal static int Room(int count) => Philox.Room(count);

    /// <summary>Writes, for each element of one token's vector, the factor by which it is multiplied: 0 or 1 / (1 - probability).</summary>
    /// <param name="factors">Receives them; <see cref="Room"/> floats.</param>
    /// <param name="count">Length of the vector.</param>
    /// <param name="row">The row's number in the update.</param>
    /// <param name="token">The token's index in its row.</param>
    /// <param name="head">The attention head, 0 elsewhere.</param>
    internal void Factors(float* factors, int count, int row, int token, int head = 0)
    {
        var numbers = (uint*)factors;
        Philox.Fill(numbers, count, _key, (uint)token | (uint)head << 20, (uint)row, _place);
        var threshold = new Vector<uint>(_threshold);
        var scale = Vector.AsVectorUInt32(new Vector<float>(_scale));
        var room = Philox.Room(count);
        var i = 0;
        for (; i <= room - Vector<uint>.Count; i += Vector<uint>.Count)
            Vector.Store(Vector.GreaterThanOrEqual(Vector.Load(numbers + i), threshold) & scale, numbers + i);
        for (; i < room; i++) factors[i] = numbers[i] >= _threshold ? _scale : 0;
    }

    private static ulong Mix(ulong x)
    {
        x += 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}
