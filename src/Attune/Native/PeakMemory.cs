using System.Diagnostics;

namespace Attune.Native;

/// <summary>The most memory that this process has had at a time.</summary>
internal static class PeakMemory
{
    /// <summary>Resident bytes at their most, since the process began or since <see cref="Reset"/>.</summary>
    internal static long Bytes()
    {
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64;
    }

    /// <summary>Gives back what nobody uses any more, and begins to watch anew.</summary>
    /// <returns>Whether it does: elsewhere than on Linux the old peak stays.</returns>
    internal static bool Reset()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
        Allocator.GiveBack();
        if (!OperatingSystem.IsLinux()) return false;
        try
        {
            using var file = new FileStream("/proc/self/clear_refs", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
            file.Write("5"u8);                                             // proc(5): resets the peak resident set size
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
