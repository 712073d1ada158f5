using System.Runtime.InteropServices;

namespace Attune.Formats;

/// <summary>Devices, pipes and sockets: a file renamed over one would take its place, for every program of the machine.</summary>
internal static partial class SpecialFile
{
    private const int CurrentFolder = -100;                                // AT_FDCWD
    private const uint WithType = 1;                                       // STATX_TYPE
    private const int ModeOffset = 28;                                     // of stx_mode in struct statx, the same on every processor
    private const int TypeMask = 0xF000, Regular = 0x8000, Folder = 0x4000;

    /// <summary>Refuses a path at which there is something that is neither a file nor a folder; links are followed.</summary>
    /// <exception cref="AttuneException">There is.</exception>
    internal static void Refuse(string path)
    {
        if (Is(path)) throw new AttuneException($"{path} is a device, a pipe or a socket, which would be replaced; name a file.");
    }

    /// <summary>The file that a link leads to in the end; the path itself where it is no link.</summary>
    internal static string Target(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget is null ? path : File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw AtomicFile.Unwritable(path, e);
        }
    }

    private static bool Is(string path)
    {
        if (OperatingSystem.IsWindows()) return false;
        if (Path.GetFullPath(path).StartsWith("/dev/", StringComparison.Ordinal) && File.Exists(path) && !OperatingSystem.IsLinux()) return true;
        if (!OperatingSystem.IsLinux()) return false;
        var found = new byte[256];
        try
        {
            return Statx(CurrentFolder, path, 0, WithType, found) == 0 && (BitConverter.ToUInt16(found, ModeOffset) & TypeMask) is not (Regular or Folder);
        }
        catch (EntryPointNotFoundException)
        {
            return Path.GetFullPath(path).StartsWith("/dev/", StringComparison.Ordinal);       // a C library of before 2018
        }
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Statx(int folder, string path, int flags, uint mask, [Out] byte[] found);
}
