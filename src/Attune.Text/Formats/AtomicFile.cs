using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Win32.SafeHandles;

namespace Attune.Formats;

/// <summary>Files that are there whole or not at all: written beside the target, forced to the disk, then renamed over it.</summary>
/// <remarks>
/// The runtime's own flush swallows the errors of fsync on Linux, so it is called directly there and on macOS and its answer is checked.
/// </remarks>
internal static partial class AtomicFile
{
    private const int IsAFolder = 21;                                      // EISDIR

    /// <summary>Writes a text file in UTF-8 without a byte order mark.</summary>
    internal static void WriteText(string path, string text) => Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)));

    /// <summary>Lets <paramref name="write"/> fill a new file and puts it in the place of <paramref name="path"/>.</summary>
    /// <param name="path">The file; where it is a link, the file that it leads to, and the link stays.</param>
    /// <param name="write">Writes its content.</param>
    /// <param name="isDurable">Whether it must survive a power cut; false for what can be made again and is checked when it is read.</param>
    /// <param name="isSecret">Whether nobody else on this machine may read it, from its first byte on.</param>
    /// <exception cref="AttuneException">It is no regular file, its folder cannot be written or the disk is full; the former file is untouched.</exception>
    internal static void Write(string path, Action<Stream> write, bool isDurable = true, bool isSecret = false)
    {
        var place = WrittenPlace.Of(path);
        var fresh = $"{place}.{Guid.NewGuid():N}.tmp";
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None, BufferSize = 1 << 16 };
            if (isSecret && !OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            using (var stream = new FileStream(fresh, options))
            {
                FileSums.Write(path, stream, write);
                if (isDurable) Flush(stream);
            }
            File.Move(fresh, place, overwrite: true);
            if (isDurable) FlushFolder(Path.GetDirectoryName(Path.GetFullPath(place))!);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(path, e);
        }
        finally
        {
            TryDelete(fresh);
        }
    }

    /// <summary>Whether this is the name of a file that was being written when its process died.</summary>
    internal static bool IsLeftOver(string path) => path.EndsWith(".tmp", StringComparison.Ordinal) && TemporaryName().IsMatch(path);

    /// <summary>Creates a folder where there is none.</summary>
    /// <exception cref="AttuneException">It cannot be created.</exception>
    internal static void CreateFolder(string path)
    {
        try
        {
            Directory.CreateDirectory(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(path, e);
        }
    }

    /// <summary>Makes sure that <see cref="Write"/> will be able to write a file, before what is to be written is computed.</summary>
    /// <exception cref="AttuneException">It is a folder, a device or a pipe, or its folder does not exist or cannot be written.</exception>
    internal static void RequireWritable(string path)
    {
        path = WrittenPlace.Of(path);
        if (Directory.Exists(path)) throw Unwritable(path, new IOException("is a folder", IsAFolder));
        var fresh = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            File.WriteAllBytes(fresh, []);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(path, e);
        }
        finally
        {
            TryDelete(fresh);
        }
    }

    /// <summary>Forces the content of an open file to the disk.</summary>
    /// <exception cref="IOException">The operating system reports that it could not.</exception>
    internal static void Flush(FileStream stream)
    {
        stream.Flush();
        if (OperatingSystem.IsWindows()) stream.Flush(flushToDisk: true);
        else Check(Fsync(stream.SafeFileHandle), stream.Name);
    }

    /// <summary>Forces a folder's entries to the disk, so that a rename in it survives a power cut. Does nothing on Windows.</summary>
    internal static void FlushFolder(string folder)
    {
        if (OperatingSystem.IsWindows()) return;
        const int readOnly = 0;
        var descriptor = Open(folder, readOnly);
        if (descriptor < 0) Check(descriptor, folder);
        try
        {
            Check(FsyncDescriptor(descriptor), folder);
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    /// <summary>The sentence for a file or folder that could not be written.</summary>
    internal static AttuneException Unwritable(string path, Exception cause) => new($"{path} cannot be written: " + cause switch
    {
        UnauthorizedAccessException => "permission denied; choose another folder or change its permissions.",
        DirectoryNotFoundException or FileNotFoundException => "its folder does not exist or takes no files; choose another.",
        IOException { HResult: var code } when IsDiskFull(code) => "no space is left on the disk; free some space or choose another folder.",
        IOException { HResult: var code } when IsTaken(code) => "there is a file of that name where a folder is to be; choose another name.",
        IOException { HResult: IsAFolder } => "there is a folder of that name; choose another name, or name a file in it.",
        _ => $"{TemporaryName().Replace(cause.Message, "").TrimEnd('.')}; choose another name or folder, or check that the disk is sound.",
    }, cause);

    private static bool IsTaken(int code) =>
        OperatingSystem.IsWindows() ? (code & 0xFFFF) is 80 or 183 : code == 17;          // EEXIST

    /// <summary>Whether this is the code of an error for want of space.</summary>
    internal static bool IsDiskFull(int code) =>
        OperatingSystem.IsWindows() ? (code & 0xFFFF) is 39 or 112 : code is 28 or 122;   // ENOSPC, EDQUOT

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It was renamed or its folder is gone: either way nothing of ours is left to remove.
        }
    }

    private static void Check(int result, string path)
    {
        if (result == 0) return;
        var code = Marshal.GetLastPInvokeError();
        const int notSupported = 22;                                       // EINVAL: this file system has no fsync for folders
        if (code == notSupported && Directory.Exists(path)) return;
        throw new IOException($"{path}: {Marshal.GetPInvokeErrorMessage(code)}", code);
    }

    /// <summary>The end of the name of a file that is not yet in its place, which says nothing to the user.</summary>
    [GeneratedRegex(@"\.[0-9a-f]{32}\.tmp")]
    private static partial Regex TemporaryName();

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FsyncDescriptor(int descriptor);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
