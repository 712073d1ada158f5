using System.Runtime.InteropServices;

namespace Attune.Native;

/// <summary>
/// Address space that is kept free while all else is taken: where a limit on a process's memory is reached, the runtime needs some of its own
/// to collect what a failed computation has left, and would end the process without it.
/// </summary>
internal sealed partial class MemoryReserve : IDisposable
{
    private const int Size = 64 << 20, ReadAndWrite = 3, PrivateAndAnonymous = 0x22;

    private nint _start;

    internal MemoryReserve() => Take();

    /// <summary>Gives the reserve up, collects what nobody uses any more, and takes a reserve again where there is room.</summary>
    internal void Collect()
    {
        Dispose();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Allocator.GiveBack();
        Take();
    }

    public void Dispose()
    {
        if (_start > 0) _ = Unmap(_start, Size);
        _start = 0;
    }

    // Never written to, so it costs no memory, but it counts towards the limits that make an allocation fail.
    private void Take() => _start = OperatingSystem.IsLinux() ? Map(0, Size, ReadAndWrite, PrivateAndAnonymous, -1, 0) : 0;

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nint length);
}
