namespace Attune.Formats;

/// <summary>What can be asked of a folder that may not be there yet: its answer is that of the nearest folder above it.</summary>
internal static class NearestFolder
{
    /// <summary>The folder itself, or the nearest above it that exists, as a full path.</summary>
    internal static string Of(string folder)
    {
        var existing = Path.GetFullPath(folder);
        while (!Directory.Exists(existing) && Path.GetDirectoryName(existing) is { } parent) existing = parent;
        return existing;
    }

    /// <summary>Free bytes where the folder is or will be.</summary>
    /// <exception cref="IOException">The system does not say.</exception>
    /// <exception cref="UnauthorizedAccessException">It does not say it to this user.</exception>
    /// <exception cref="ArgumentException">It has no such place.</exception>
    internal static long FreeBytes(string folder) => new DriveInfo(Of(folder)).AvailableFreeSpace;

    /// <summary>The same; null where it is not said.</summary>
    internal static long? TryFreeBytes(string folder)
    {
        try
        {
            return FreeBytes(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }
}
