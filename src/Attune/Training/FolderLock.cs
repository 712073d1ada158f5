using System.Diagnostics;
using System.Globalization;
using Attune.Formats;

namespace Attune.Training;

/// <summary>
/// Keeps a folder to one process. The lock is the operating system's, so that of a process that was killed is free at once. A second file
/// names the owner, who renews its time: on a network drive that knows no locks this tells whether an owner on another machine is alive.
/// </summary>
internal sealed class FolderLock : IDisposable
{
    private const string LockName = ".attune.lock", OwnerName = ".attune.owner";
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(5);

    private readonly FileStream _file;
    private readonly string _owner;
    private readonly Timer _renewal;

    private FolderLock(FileStream file, string owner)
    {
        (_file, _owner) = (file, owner);
        _renewal = new Timer(_ => Renew(), null, Heartbeat, Heartbeat);
    }

    /// <summary>Takes the lock of a folder.</summary>
    /// <exception cref="AttuneException">Another process has it; the sentence names process and machine. Or the folder cannot be written.</exception>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    internal static FolderLock Take(string folder)
    {
        var (path, owner) = (Path.Combine(folder, LockName), Path.Combine(folder, OwnerName));
        FileStream file;
        try
        {
            file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (IOException e) when (FileLock.IsTaken(e.HResult))
        {
            throw InUse(folder, Owner.Read(owner), e);
        }
        try
        {
            if (Owner.Read(owner) is { } other && IsAlive(other, owner)) throw InUse(folder, other, null);
            AtomicFile.WriteText(owner, Owner.This.Text);
            return new FolderLock(file, owner);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _renewal.Dispose();
        try
        {
            File.Delete(_owner);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The folder is gone or only to be read now. A name without the lock keeps nobody out.
        }
        finally
        {
            _file.Dispose();
        }
    }

    private void Renew()
    {
        try
        {
            File.SetLastWriteTimeUtc(_owner, TimeProvider.System.GetUtcNow().UtcDateTime);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The folder is gone or out of reach for now; the next write in it will say so.
        }
    }

    /// <summary>Whether the owner lives although the operating system gives its lock away: it may be on another machine.</summary>
    private static bool IsAlive(Owner owner, string path)
    {
        if (owner.Machine == Environment.MachineName) return false;         // then the operating system knows
        var (seen, watch) = (File.GetLastWriteTimeUtc(path), Stopwatch.StartNew());
        while (watch.Elapsed < 2 * Heartbeat)
        {
            if (File.GetLastWriteTimeUtc(path) != seen) return true;
            Thread.Sleep(TimeSpan.FromMilliseconds(200));
        }
        return false;
    }

    private static AttuneException InUse(string folder, Owner? owner, Exception? cause)
    {
        var who = owner is null ? "another process" : $"process {owner.Process} on {owner.Machine}";
        var sentence = $"{folder} is in use: {who} trains into it; choose another --output-dir, or wait for its end.";
        return cause is null ? new AttuneException(sentence) : new AttuneException(sentence, cause);
    }

    private sealed record Owner(int Process, string Machine)
    {
        internal static Owner This => new(Environment.ProcessId, Environment.MachineName);

        internal string Text => string.Create(CultureInfo.InvariantCulture, $"{Process} {Machine}\n");

        internal static Owner? Read(string path)
        {
            try
            {
                return File.ReadAllText(path).Trim().Split(' ') is [var process, var machine]
                    && int.TryParse(process, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? new Owner(id, machine) : null;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return null;
            }
        }
    }
}
