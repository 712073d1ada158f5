namespace Attune.Formats;

/// <summary>A file that one process at a time holds, as Python's filelock holds it. On some network file systems every process may hold it.</summary>
internal sealed class FileLock : IDisposable
{
    private readonly FileStream? _file;

    private FileLock(FileStream? file) => _file = file;

    /// <summary>Whether the file system gave a lock at all.</summary>
    internal bool IsHeld => _file is not null;

    /// <summary>Takes the lock; null where another process has it.</summary>
    internal static FileLock? Take(string path)
    {
        try
        {
            return new FileLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1));
        }
        catch (IOException e) when (IsTaken(e.HResult))
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new FileLock(null);                         // no lock can be had here
        }
    }

    /// <summary>Whether this is the code of an error because another process has the file: EWOULDBLOCK, on Windows a violation of sharing or locking.</summary>
    internal static bool IsTaken(int code) => OperatingSystem.IsWindows() ? (code & 0xFFFF) is 32 or 33 : code is 11 or 35;

    public void Dispose() => _file?.Dispose();
}
