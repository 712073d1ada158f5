namespace Attune.Batching;

/// <summary>The random numbers of torch's CPU generator: the Mersenne twister MT19937 (Matsumoto and Nishimura, 1998).</summary>
/// <remarks>Written out here so that an order can be had without libtorch's one generator for the whole process.</remarks>
internal sealed class TorchGenerator
{
    private const int Length = 624, Middle = 397;

    private readonly uint[] _state = new uint[Length];
    private int _next = Length;

    /// <summary>Starts as <c>torch.Generator().manual_seed(seed)</c> does. Only the low 32 bits of the seed count.</summary>
    internal TorchGenerator(long seed)
    {
        _state[0] = unchecked((uint)seed);
        for (var i = 1; i < Length; i++)
            _state[i] = unchecked(1812433253u * (_state[i - 1] ^ (_state[i - 1] >> 30)) + (uint)i);
    }

    /// <summary>All 32 bits of one output.</summary>
    internal uint NextUInt32()
    {
        if (_next == Length) Renew();
        var y = _state[_next++];
        y ^= y >> 11;
        y ^= (y << 7) & 0x9D2C5680;
        y ^= (y << 15) & 0xEFC60000;
        return y ^ (y >> 18);
    }

    /// <summary><c>torch.randperm(count)</c>: the numbers from 0 to <paramref name="count"/> − 1 in random order.</summary>
    internal int[] Permutation(int count)
    {
        var order = new int[count];
        for (var i = 0; i < count; i++) order[i] = i;
        for (var i = 0; i < count - 1; i++)
        {
            var other = i + (int)(NextUInt32() % (uint)(count - i));
            (order[i], order[other]) = (order[other], order[i]);
        }
        return order;
    }

    /// <summary>Leaves out so many outputs.</summary>
    internal void Skip(long outputs)
    {
        for (; outputs > 0; outputs--)
        {
            if (_next == Length) Renew();
            _next++;
        }
    }

    private void Renew()
    {
        for (var i = 0; i < Length; i++)
        {
            var y = (_state[i] & 0x80000000) | (_state[(i + 1) % Length] & 0x7FFFFFFF);
            _state[i] = _state[(i + Middle) % Length] ^ (y >> 1) ^ ((y & 1) * 0x9908B0DF);
        }
        _next = 0;
    }
}
