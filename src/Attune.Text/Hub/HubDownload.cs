using System.Text.Json.Nodes;
using Attune.Formats;

namespace Attune.Hub;

/// <summary>Turns names into folders by asking the hub; what is missing comes into the cache, where Python finds it too.</summary>
/// <remarks>
/// Every file is checked against the hub's hash. A download that was cut goes on where it stopped, also in the next process; any number of
/// processes may download the same. Where the hub cannot be reached the cache serves; where it refuses, nothing does.
/// </remarks>
public sealed class HubDownload : IDisposable
{
    private const int FilesAtOnce = 4;

    /// <summary>What stays free on the disk.</summary>
    private const long Reserve = 16 << 20;

    private readonly HubSettings _settings;
    private readonly HubHttp _http;
    private readonly Action<string> _tell;
    private readonly Action<TransferProgress> _report;

    /// <summary>Once the cache has served in the hub's place it goes on to, without another wait for the hub.</summary>
    private bool _isUnreachable;

    /// <summary>Prepares downloads; nothing is asked yet.</summary>
    /// <param name="settings">Where the hub is and where downloads go.</param>
    /// <param name="tell">Told what a person should know, such as that the hub cannot be reached.</param>
    public HubDownload(HubSettings settings, Action<string>? tell = null) : this(settings, TimeProvider.System, tell ?? (_ => { }), _ => { })
    {
    }

    internal HubDownload(HubSettings settings, TimeProvider clock, Action<string> tell, Action<TransferProgress> report)
    {
        ArgumentNullException.ThrowIfNull(settings);
        (_settings, _tell, _report, _http) = (settings, tell, report, new HubHttp(settings, clock, tell));
    }

    /// <summary>Whether files of a snapshot may be links.</summary>
    internal bool MayLink { get; init; } = true;

    /// <summary>The folder of a model or data set: of a model what training and prediction need, of a data set everything.</summary>
    /// <param name="nameOrFolder">An existing folder or file, or a name of the hub such as <c>bert-base-uncased</c> or <c>org/name</c>.</param>
    /// <param name="kind">Whether the name is that of a model or a data set.</param>
    /// <param name="revision">A branch, tag or commit of the hub; null for <c>main</c>.</param>
    /// <param name="cancellation">Stops the download; the next one goes on with it.</param>
    /// <returns>The folder, with the commit that the branch stood for.</returns>
    /// <exception cref="AttuneException">
    /// There is no such name, it is private or gated, a file is not what the hub says it is, or the hub cannot be reached and the cache has nothing.
    /// </exception>
    public Task<ResolvedName> GetAsync(string nameOrFolder, RepoKind kind, string? revision = null, CancellationToken cancellation = default) =>
        GetAsync(nameOrFolder, kind, revision, kind == RepoKind.Model ? FileChoice.Model : FileChoice.All, cancellation);

    internal async Task<ResolvedName> GetAsync(
        string nameOrFolder, RepoKind kind, string? revision, Func<IReadOnlyList<RepoFile>, IEnumerable<RepoFile>> choose, CancellationToken stop,
        Func<string, IReadOnlyList<RepoFile>, IEnumerable<RepoFile>>? then = null) =>
        HubCache.Own(nameOrFolder, kind) ?? (await DownloadAsync(nameOrFolder, kind, revision, choose, stop, then)).Name;

    /// <summary>The same with the files that were chosen, for a name of the hub whether or not there is a folder of that name here.</summary>
    /// <param name="name">The name.</param>
    /// <param name="kind">What it names.</param>
    /// <param name="revision">A branch, tag or commit; null for main.</param>
    /// <param name="choose">Says which files come, or come first.</param>
    /// <param name="stop">Stops it.</param>
    /// <param name="then">Looks at the folder with those files and says which are wanted in all. Only when these are there does the branch lead to their commit.</param>
    internal async Task<Downloaded> DownloadAsync(
        string name, RepoKind kind, string? revision, Func<IReadOnlyList<RepoFile>, IEnumerable<RepoFile>> choose, CancellationToken stop,
        Func<string, IReadOnlyList<RepoFile>, IEnumerable<RepoFile>>? then = null)
    {
        var (repo, cache, config) = Find(name, kind, revision);
        try
        {
            string commit;
            IReadOnlyList<RepoFile> listed;
            try
            {
                if (_settings.IsOffline || _isUnreachable)
                    return Here(HubCache.Find(cache, revision) ?? throw HubCache.NotHere(name, kind, revision, _settings.Cache, _settings.IsOffline));
                commit = await CommitAsync(repo, revision, cache, stop);
                listed = await ListAsync(repo, cache, commit, stop);
            }
            catch (UnreachableException e) when (HubCache.Find(cache, revision) is { } cached)
            {
                _isUnreachable = true;
                var here = Here(cached);
                _tell($"{e.Message}; the cache has the {repo} at the commit {cached}, which is taken.");
                return here;
            }
            List<RepoFile> files = [.. choose(listed)];
            await FetchAsync(repo, cache, commit, files, stop);
            if (then is not null)
            {
                files = [.. then(cache.Snapshot(commit), listed)];
                await FetchAsync(repo, cache, commit, files, stop);
            }
            if (revision != commit) cache.WriteReference(revision ?? HubCache.DefaultRevision, commit);
            return new Downloaded(new ResolvedName(cache.Snapshot(commit), config, commit), files);
        }
        catch (UnreachableException e)
        {
            throw e.With("check the network and HF_ENDPOINT and give the same command again, which goes on where this one stopped");
        }

        Downloaded Here(string commit)
        {
            var (folder, kept) = (cache.Snapshot(commit), cache.LoadTree(commit));
            var all = kept ?? cache.FilesHere(commit);
            List<RepoFile> files = [.. choose(all)];
            RequireWhole(files);
            if (then is not null)
            {
                files = [.. then(folder, all)];
                RequireWhole(files);
            }
            if (kept is null && files.Count == 0) throw Partial($"none of the files that are needed is in {folder}");
            return new Downloaded(new ResolvedName(folder, config, commit), files);

            void RequireWhole(List<RepoFile> wanted)
            {
                if (wanted.Find(file => !cache.Has(commit, file)) is { } missing) throw Partial($"{missing.Path} of the commit {commit} is missing");
            }
        }

        AttuneException Partial(string what) => new($"The cache {_settings.Cache} has only a part of the {repo}: {what}; " +
            $"{(_settings.IsOffline ? "unset HF_HUB_OFFLINE (or its like)" : "the hub cannot be reached: check the network and HF_ENDPOINT")} and give the same command again, which fetches it.");
    }

    /// <summary>What would be fetched, without fetching it.</summary>
    internal async Task<DownloadPlan> PlanAsync(
        string name, RepoKind kind, string? revision, Func<IReadOnlyList<RepoFile>, IEnumerable<RepoFile>> choose, CancellationToken stop)
    {
        var (repo, cache, _) = Find(name, kind, revision);
        if (_settings.IsOffline) throw new AttuneException($"HF_HUB_OFFLINE (or its like) is set, so the hub is not asked what the {repo} has; unset it.");
        try
        {
            var commit = await CommitAsync(repo, revision, cache, stop);
            var files = choose(await RepoTree.AskAsync(_http, repo, commit, stop)).ToList();
            return new DownloadPlan(repo, commit, files, [.. files.Where(file => !cache.Has(commit, file) && !cache.HasBlob(file))]);
        }
        catch (UnreachableException e)
        {
            throw e.With("check the network and HF_ENDPOINT");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    /// <summary>The repository, under the form of its name that the cache already has.</summary>
    private (HubRepo Repo, RepoCache Cache, string? Config) Find(string name, RepoKind kind, string? revision)
    {
        var (names, config) = HubCache.Parse(name, kind, revision);
        var known = names.FirstOrDefault(form => HubCache.Find(Cache(form), revision) is not null) ??
            names.FirstOrDefault(form => Directory.Exists(Cache(form).Snapshots)) ?? names[0];
        return (new HubRepo(kind, known), Cache(known), config);

        RepoCache Cache(string form) => new(_settings.Cache, RepoName.CacheFolder(form, kind)) { MayLink = MayLink };
    }

    /// <summary>The commit of a branch or tag, by a question for one file: the hub says it whether or not the file is there.</summary>
    private async Task<string> CommitAsync(HubRepo repo, string? revision, RepoCache cache, CancellationToken stop)
    {
        if (revision is not null && ContentHash.IsCommit(revision)) return revision;
        var asked = revision ?? HubCache.DefaultRevision;
        var request = new HubRequest(HttpMethod.Head, repo.File(_settings, asked, repo.Kind == RepoKind.Model ? "config.json" : "README.md"))
        {
            Patience = _settings.MetadataTimeout,
            // Whoever has the files already need not wait for a hub that does not answer.
            Retries = HubCache.Find(cache, revision) is null ? Waits.Retries : 0,
        };
        using var answer = await _http.SendAsync(request, stop);
        var isAbsent = answer.ErrorCode == "EntryNotFound";
        if (!answer.IsGood && !isAbsent) throw HubRefusal.Of(answer, repo, asked, null, _settings);
        if (answer.Commit is { } commit && ContentHash.IsCommit(commit)) return commit;
        return isAbsent && await DescribedAsync(repo, asked, request, stop) is { } described ? described : throw new AttuneException(
            $"{_settings.Address} does not say which commit the revision {Shown.Of(asked)} of the {repo} is; check HF_ENDPOINT, and whether a proxy stands between.");
    }

    /// <summary>The commit by the longer way, for hubs that do not say it of a file that is not there.</summary>
    private async Task<string?> DescribedAsync(HubRepo repo, string revision, HubRequest like, CancellationToken stop)
    {
        var (json, _) = await _http.JsonAsync(like with { Method = HttpMethod.Get, Address = repo.Api(_settings, "revision", revision) },
            answer => HubRefusal.Of(answer, repo, revision, null, _settings), stop);
        return (json as JsonObject)?["sha"]?.ToString() is { } commit && ContentHash.IsCommit(commit) ? commit : null;
    }

    private async Task<IReadOnlyList<RepoFile>> ListAsync(HubRepo repo, RepoCache cache, string commit, CancellationToken stop)
    {
        if (cache.LoadTree(commit) is { } kept) return kept;
        var files = await RepoTree.AskAsync(_http, repo, commit, stop, Directory.Exists(cache.Snapshot(commit)) ? 0 : Waits.Retries);
        cache.SaveTree(commit, files);
        if (repo.Kind == RepoKind.Model)
            foreach (var name in FileChoice.UsualNames.Except(files.Select(file => file.Path))) cache.MarkAbsent(commit, name);
        return files;
    }

    private async Task FetchAsync(HubRepo repo, RepoCache cache, string commit, IReadOnlyList<RepoFile> files, CancellationToken stop)
    {
        var missing = files.Where(file => !cache.Has(commit, file)).OrderBy(file => file.Size).ToList();
        if (missing.Count == 0) return;
        cache.Create(commit);
        RequireSpace(repo, missing.Where(file => !cache.HasBlob(file)).DistinctBy(file => file.Hash).Sum(file => file.Size - cache.PartOf(file)));
        var (gate, done, bytesDone, filesDone) = (new Lock(), new Dictionary<RepoFile, long>(), 0L, 0);
        var bytes = missing.Sum(file => file.Size);
        await Parallel.ForEachAsync(missing, new ParallelOptions { MaxDegreeOfParallelism = FilesAtOnce, CancellationToken = stop }, async (file, stopped) =>
        {
            await new BlobDownload(_http, repo, cache, commit, file, here => Report(file, here, isDone: false)).RunAsync(stopped);
            Report(file, file.Size, isDone: true);
        });

        void Report(RepoFile file, long here, bool isDone)
        {
            lock (gate)
            {
                bytesDone += here - done.GetValueOrDefault(file);
                done[file] = here;
                if (isDone) filesDone++;
                _report(new TransferProgress(repo.ToString(), missing.Count, filesDone, bytes, bytesDone, file, isDone));
            }
        }
    }

    /// <summary>A download of hours must not end at a full disk.</summary>
    private void RequireSpace(HubRepo repo, long needed)
    {
        if (NearestFolder.TryFreeBytes(_settings.Cache) is { } free && free < needed + Reserve) throw new AttuneException(
            $"The {repo} needs {ByteSize.Words(needed)}, but {_settings.Cache} has only {ByteSize.Words(free)} left; " +
            "free some space, or set HF_HUB_CACHE to a folder on another disk.");
    }
}

/// <summary>What a download gave.</summary>
/// <param name="Name">Where it is.</param>
/// <param name="Files">The files that were chosen and are there.</param>
internal sealed record Downloaded(ResolvedName Name, IReadOnlyList<RepoFile> Files);

/// <summary>What a download would fetch.</summary>
/// <param name="Repo">From where.</param>
/// <param name="Commit">Of which commit.</param>
/// <param name="Files">All that is wanted.</param>
/// <param name="Missing">What of it is not here.</param>
internal sealed record DownloadPlan(HubRepo Repo, string Commit, IReadOnlyList<RepoFile> Files, IReadOnlyList<RepoFile> Missing);
