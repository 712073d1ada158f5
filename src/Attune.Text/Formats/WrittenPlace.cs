using System.Runtime.InteropServices;

namespace Attune.Formats;

/// <summary>Where a file comes to lie that is written under a name: where the links lead, and never in the place of a device, a pipe or a socket.</summary>
/// <remarks>A file that is renamed over <c>/dev/null</c> takes its place for every program of the machine.</remarks>
internal static partial class WrittenPlace
{
    private const int CurrentFolder = -100;                                // AT_FDCWD
    private const uint WithType = 1;                                       // STATX_TYPE
    private const int StatusSize = 256, ModeOffset = 28;                   // struct statx and its stx_mode, the same on every processor
    private const int MostLinks = 40;                                      // as Linux follows
    private const int TypeMask = 0xF000, Regular = 0x8000, Folder = 0x4000;

    /// <summary>The name itself, or the file that a link leads to in the end, there or not.</summary>
    /// <exception cref="AttuneException">There is a device, a pipe or a socket, or the links lead nowhere.</exception>
    internal static string Of(string path)
    {
        if (IsSpecial(path)) throw new AttuneException($"{path} is a device, a pipe or a socket, which a file would replace; name a file.");
        try
        {
            for (var links = 0; new FileInfo(path).LinkTarget is { } target; links++)
            {
                if (links == MostLinks) throw new IOException("its links lead in a circle");
                path = Path.GetFullPath(target, Real(Path.GetDirectoryName(Path.GetFullPath(path))!));
            }
            return path;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw AtomicFile.Unwritable(path, e);
        }
    }

    /// <summary>A folder by its path without links: the system takes ".." of a link by where its folder really is, and .NET by its letters.</summary>
    private static string Real(string folder)
    {
        if (Path.GetDirectoryName(folder) is not { } above || !Directory.Exists(folder)) return folder;
        var parent = Real(above);
        var here = Path.Join(parent, Path.GetFileName(folder));
        return new DirectoryInfo(here).LinkTarget is { } target ? Real(Path.GetFullPath(target, parent)) : here;
    }

    /// <summary>Whether there is something that is neither a file nor a folder. Nothing is opened, which would wait at a pipe and may move a device.</summary>
    internal static bool IsSpecial(string path)
    {
        try
        {
            var status = new byte[StatusSize];
            if (OperatingSystem.IsLinux())
                return Statx(CurrentFolder, path, 0, WithType, status) == 0 && (BitConverter.ToUInt16(status, ModeOffset) & TypeMask) is not (Regular or Folder);
        }
        catch (EntryPointNotFoundException)
        {
            // A C library of before 2018: as where there is no such call.
        }
        return path.Length > 0 && Path.GetFullPath(path).StartsWith(OperatingSystem.IsWindows() ? @"\\.\" : "/dev/", StringComparison.Ordinal) && !Directory.Exists(path);
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, [Out] byte[] status);
}
