using System.Runtime.InteropServices;

namespace Attune.Kernels;

/// <summary>Working memory of one thread: a stack of blocks that are handed out and given back together.</summary>
internal sealed unsafe class Scratch
{
    private const int Alignment = 64;                                      // a cache line, and the widest vector

    [ThreadStatic]
    private static Scratch? _current, _shared;

    private byte* _memory;
    private nuint _size, _used;

    /// <summary>The calling thread's memory, empty and with room for at least so many floats.</summary>
    internal static Scratch OfThisThread(long floats) => Emptied(ref _current, floats);

    /// <summary>The same for what the calling thread shares with those that help it: its own part of the work leaves it alone.</summary>
    internal static Scratch OfThisCall(long floats) => Emptied(ref _shared, floats);

    /// <summary>The next block; its content is not set.</summary>
    internal float* Floats(long count)
    {
        var block = _memory + _used;
        _used += ((nuint)count * sizeof(float) + Alignment - 1) / Alignment * Alignment;
        if (_used > _size) throw new InvalidOperationException("a kernel asked for more working memory than it reserved");
        return (float*)block;
    }

    private static Scratch Emptied(ref Scratch? kept, long floats)
    {
        var scratch = kept ??= new Scratch();
        scratch.Reset((nuint)floats * sizeof(float) + 32 * Alignment);
        return scratch;
    }

    private void Reset(nuint size)
    {
        _used = 0;
        if (size <= _size) return;
        NativeMemory.AlignedFree(_memory);
        _memory = null;                                                    // there may be no memory for the next line but one
        _size = 0;
        _memory = (byte*)NativeMemory.AlignedAlloc(size, Alignment);
        _size = size;
    }

    ~Scratch() => NativeMemory.AlignedFree(_memory);
}
