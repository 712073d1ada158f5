using System.Runtime.InteropServices;

namespace Attune.Native;

/// <summary>The C library's allocator, told to keep what it has.</summary>
/// <remarks>
/// A training step asks for the same large blocks again and again. By default glibc maps and unmaps each of them, and every page of a
/// fresh mapping costs a fault; kept in the heap, a steady step takes no memory from the system.
/// </remarks>
internal static partial class Allocator
{
    private const int TrimThreshold = -1, TopPad = -2, MapThreshold = -3;       // M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD of malloc.h

    internal static void KeepMemory()
    {
        if (!OperatingSystem.IsLinux()) return;
        try
        {
            _ = MallocOption(MapThreshold, 1 << 30);
            _ = MallocOption(TrimThreshold, int.MaxValue);
            _ = MallocOption(TopPad, 64 << 20);
        }
        catch (EntryPointNotFoundException)
        {
            // Another C library (musl): it has no such option and needs none.
        }
    }

    /// <summary>Gives free memory back to the system, for who needs it elsewhere in the process.</summary>
    internal static void GiveBack()
    {
        if (!OperatingSystem.IsLinux()) return;
        try
        {
            _ = Trim(0);
        }
        catch (EntryPointNotFoundException)
        {
            // As above.
        }
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int Trim(nint keep);

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int MallocOption(int option, int value);
}
