using System.Buffers;
using Attune.Formats;

namespace Attune.Batching;

/// <summary>Integers that stay in a mapped file, as memory to take views of.</summary>
/// <remarks>
/// The file stays mapped while the process lives: views of it may be anywhere, and pages that nobody reads cost no memory. It is never written
/// to, only replaced by another file of its name.
/// </remarks>
internal sealed class MappedIntegers(MappedFile file, long offset, int count) : MemoryManager<int>
{
    /// <inheritdoc/>
    public override unsafe Span<int> GetSpan()
    {
        // Memory managers know only writable memory; what is given out is ReadOnlyMemory.
        fixed (int* first = file.Values<int>(offset, count)) return new Span<int>(first, count);
    }

    /// <inheritdoc/>
    public override unsafe MemoryHandle Pin(int elementIndex = 0)
    {
        fixed (int* element = file.Values<int>(offset, count)[elementIndex..]) return new MemoryHandle(element);
    }

    /// <inheritdoc/>
    public override void Unpin()
    {
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
    }
}
