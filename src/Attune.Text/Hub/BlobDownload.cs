using System.Net;
using Attune.Formats;

namespace Attune.Hub;

/// <summary>Downloads one file into the cache: by one process at a time, from where the last one stopped, checked to its last byte.</summary>
internal sealed class BlobDownload(HubHttp http, HubRepo repo, RepoCache cache, string commit, RepoFile file, Action<long> report)
{
    private const int BlockBytes = 1 << 18;
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(100);

    /// <summary>Looks at a part that another process writes: when it stands still so often, this process downloads on its own.</summary>
    private const int MostLooks = 600;

    /// <summary>Puts the file into the snapshot.</summary>
    /// <exception cref="AttuneException">The hub refuses, the content is not the one it names, or the disk is full.</exception>
    internal async Task RunAsync(CancellationToken stop)
    {
        var (looks, seen) = (0, -1L);
        while (!cache.Has(commit, file))
        {
            using var held = FileLock.Take(cache.Lock(file.Hash));
            if (held is null && looks < MostLooks)
            {
                var size = SizeOfParts();
                (looks, seen) = (size == seen ? looks + 1 : 0, size);
                report(Math.Max(0, size));
                await Task.Delay(BetweenLooks, http.Clock, stop);
                continue;
            }
            if (!cache.HasBlob(file) && !cache.Has(commit, file)) await FetchAsync(held is { IsHeld: true }, stop);
            if (!cache.Has(commit, file)) cache.Link(commit, file);
        }
        report(file.Size);
    }

    /// <summary>Downloads into blobs.</summary>
    /// <param name="isLocked">Whether no other process writes the part that may be there already.</param>
    /// <param name="stop">Stops it; the part that is here stays.</param>
    private async Task FetchAsync(bool isLocked, CancellationToken stop)
    {
        var (partial, stream) = Open(isLocked);
        try
        {
            bool isRight;
            await using (stream)
            {
                isRight = await FillAsync(stream, stop);
                if (isRight)
                {
                    AtomicFile.Flush(stream);
                    // Renamed while it is open and locked: whoever waits for the lock finds the content.
                    File.Move(partial, cache.Blob(file.Hash), overwrite: true);
                }
                else File.Delete(partial);
            }
            if (!isRight) throw new AttuneException(
                $"{file.Path} of the {repo} is not what the hub says it is: its {(file.LfsSha256 is null ? "git hash" : "SHA-256")} is not {file.Hash}; " +
                "it was deleted. Try again; if that does not help, a proxy may change what it passes on.");
        }
        catch (Exception e) when (e is UnauthorizedAccessException || e is IOException && !HubHttp.IsOfNetwork(e, stop))
        {
            throw AtomicFile.Unwritable(cache.Blob(file.Hash), e);
        }
        finally
        {
            if (partial != cache.Partial(file.Hash)) File.Delete(partial);
        }
    }

    private (string Path, FileStream Stream) Open(bool isLocked)
    {
        if (isLocked)
        {
            try
            {
                var partial = cache.Partial(file.Hash);
                return (partial, Open(partial));
            }
            catch (IOException)
            {
                // Another process writes it though the lock is ours: the file system's locks are no good.
            }
        }
        var own = cache.OwnPartial(file.Hash);
        return (own, Open(own));
    }

    // A file that is to be renamed while it is open must allow just that on Windows; elsewhere only "none" is a lock of one.
    private static FileStream Open(string path) =>
        new(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, OperatingSystem.IsWindows() ? FileShare.Delete : FileShare.None, 0);

    /// <summary>Fills the file from where it stands to its end.</summary>
    /// <returns>Whether it has the right content. A part of an earlier process is not believed: where it was wrong, all is fetched anew.</returns>
    private async Task<bool> FillAsync(FileStream stream, CancellationToken stop)
    {
        if (stream.Length > file.Size) stream.SetLength(0);
        var wasBegun = stream.Length > 0;
        for (var starts = 1; ; starts++)
        {
            using var hash = new ContentHash(file.Hash, file.Size);
            stream.Position = 0;
            var done = hash.Append(stream);
            report(done);
            var isWhole = done == file.Size || await ReceiveAsync(stream, hash, done, stop);
            if (isWhole && hash.Matches()) return true;
            if (isWhole && !wasBegun) return false;
            if (isWhole) wasBegun = false;
            else if (starts > Waits.Retries) throw BreaksOff(null);
            stream.SetLength(0);
        }
    }

    /// <summary>Receives the rest; a connection that is cut is made again and goes on where it was.</summary>
    /// <returns>False where the server would not go on in the middle: everything must be fetched.</returns>
    private async Task<bool> ReceiveAsync(FileStream stream, ContentHash hash, long done, CancellationToken stop)
    {
        var block = new byte[BlockBytes];
        for (var tries = 0; ;)
        {
            var before = done;
            Exception? cut = null;
            using (var answer = await AskAsync(done, stop))
            {
                if (done > 0 && answer.From != done) return false;
                await using var content = await answer.Content.ReadAsStreamAsync(stop);
                using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
                while (true)
                {
                    int count;
                    try
                    {
                        patience.CancelAfter(http.Settings.DownloadTimeout);
                        count = await content.ReadAsync(block, patience.Token);
                    }
                    catch (Exception e) when (e is IOException || HubHttp.IsOfNetwork(e, stop))
                    {
                        cut = e;
                        break;
                    }
                    if (count == 0) break;
                    if (done + count > file.Size) count = (int)(file.Size - done) + 1;      // more than there should be: the hash will tell
                    await stream.WriteAsync(block.AsMemory(0, count), CancellationToken.None);
                    hash.Append(block.AsSpan(0, count));
                    report(done += count);
                    if (done > file.Size) return true;
                }
            }
            if (done == file.Size) return true;
            tries = done > before ? 1 : tries + 1;
            if (tries > Waits.Retries) throw BreaksOff(cut);
            await Task.Delay(Waits.After(tries), http.Clock, stop);
        }
    }

    private async Task<HubAnswer> AskAsync(long from, CancellationToken stop)
    {
        for (var tries = 1; ; tries++)
        {
            var answer = await http.SendAsync(new HubRequest(HttpMethod.Get, repo.File(http.Settings, commit, file.Path))
            {
                From = from,
                Patience = http.Settings.DownloadTimeout,
            }, stop);
            try
            {
                if (answer.IsGood)
                {
                    Check(answer);
                    return answer;
                }
                // The part that is here does not fit: the server shall begin anew.
                if (answer.Status == HttpStatusCode.RequestedRangeNotSatisfiable && from > 0)
                {
                    from = 0;
                    answer.Dispose();
                    continue;
                }
                if (answer.IsOfHub) throw HubRefusal.Of(answer, repo, commit, file.Path, http.Settings);
                // The address of the storage was signed for a time that is over: the hub gives a new one.
                if (tries > Waits.Retries) throw new UnreachableException($"The hub's storage refuses {file.Path} of the {repo} ({(int)answer.Status})", null);
            }
            catch
            {
                answer.Dispose();
                throw;
            }
            answer.Dispose();
            await Task.Delay(Waits.After(tries), http.Clock, stop);
        }
    }

    private void Check(HubAnswer answer)
    {
        var isOther = answer.Commit is { } own && own != commit ||
            answer.Etag is { } etag && ContentHash.IsKnown(etag) && etag.Length == file.Hash.Length && etag != file.Hash;
        if (isOther)
            throw new AttuneException($"{http.Settings.Address} gives another {file.Path} of the {repo} than it lists; try again later, or check HF_ENDPOINT.");
    }

    private UnreachableException BreaksOff(Exception? cut) => new($"The download of {file.Path} of the {repo} breaks off again and again", cut);

    /// <summary>Size of the largest part of this content, whoever writes it; -1 where there is none.</summary>
    private long SizeOfParts()
    {
        try
        {
            return new DirectoryInfo(cache.Blobs).EnumerateFiles(file.Hash + ".*").Select(part => part.Length).DefaultIfEmpty(-1).Max();
        }
        catch (IOException)
        {
            return -1;                                         // it was renamed meanwhile
        }
    }
}
