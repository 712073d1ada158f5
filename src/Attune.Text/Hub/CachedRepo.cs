using Attune.Formats;

namespace Attune.Hub;

/// <summary>A commit of a repository in the cache.</summary>
/// <param name="Commit">Its name.</param>
/// <param name="References">The branches and tags that stand for it.</param>
/// <param name="Files">How many files it has here.</param>
/// <param name="Bytes">Their size, also of those that other commits have too.</param>
/// <param name="Changed">When its newest file came.</param>
internal sealed record CachedRevision(string Commit, IReadOnlyList<string> References, int Files, long Bytes, DateTime Changed);

/// <summary>A repository in the cache, as it is listed, checked and removed.</summary>
internal sealed class CachedRepo
{
    private static readonly Dictionary<string, RepoKind> Kinds = new(StringComparer.Ordinal) { ["models"] = RepoKind.Model, ["datasets"] = RepoKind.Dataset };
    private readonly string _cache;
    private readonly RepoCache _repo;

    private CachedRepo(string cache, string folder, RepoKind kind, string name) =>
        (_cache, _repo, Kind, Name) = (cache, new RepoCache(cache, folder), kind, name);

    internal RepoKind Kind { get; }

    internal string Name { get; }

    /// <summary>How a message calls it.</summary>
    public override string ToString() => new HubRepo(Kind, Name).ToString();

    /// <summary>All repositories of a cache, by their names.</summary>
    internal static IReadOnlyList<CachedRepo> All(string cache) => !Directory.Exists(cache) ? [] :
    [
        .. Directory.EnumerateDirectories(cache).Select(folder => (Folder: Path.GetFileName(folder), Parts: Path.GetFileName(folder).Split("--", 2)))
            .Where(found => found.Parts.Length == 2 && Kinds.ContainsKey(found.Parts[0]))
            .Select(found => new CachedRepo(cache, found.Folder, Kinds[found.Parts[0]], found.Parts[1].Replace("--", "/", StringComparison.Ordinal)))
            .OrderBy(repo => repo.Name, StringComparer.Ordinal).ThenBy(repo => repo.Kind),
    ];

    /// <summary>Its commits, the newest last.</summary>
    internal IReadOnlyList<CachedRevision> Revisions()
    {
        if (!Directory.Exists(_repo.Snapshots)) return [];
        var references = References().ToLookup(reference => reference.Commit, reference => reference.Name);
        return
        [
            .. Directory.EnumerateDirectories(_repo.Snapshots).Select(folder =>
            {
                var files = FilesBelow(folder).Select(Target).OfType<FileInfo>().ToList();
                var commit = Path.GetFileName(folder);
                return new CachedRevision(commit, [.. references[commit].Order(StringComparer.Ordinal)], files.Count, files.Sum(file => file.Length),
                    files.Select(file => file.LastWriteTimeUtc).DefaultIfEmpty(Directory.GetLastWriteTimeUtc(folder)).Max());
            }).OrderBy(revision => revision.Changed),
        ];
    }

    /// <summary>What it takes on the disk, each content once, parts included.</summary>
    internal long BytesOnDisk() => Contents().Sum(file => file.Length);

    /// <summary>When one of its files was last read or written, as far as the file system notes that.</summary>
    internal DateTime LastUsed() => Contents()
        .Select(file => file.LastAccessTimeUtc > file.LastWriteTimeUtc ? file.LastAccessTimeUtc : file.LastWriteTimeUtc)
        .DefaultIfEmpty(Directory.GetLastWriteTimeUtc(_repo.Folder)).Max();

    /// <summary>Checks every content against its hash and every link against what it leads to.</summary>
    /// <param name="stop">Stops it.</param>
    /// <returns>How many files are right, and what is wrong: paths below the repository's folder.</returns>
    internal (int Right, IReadOnlyList<string> Wrong) Verify(CancellationToken stop)
    {
        var (right, wrong) = (0, new List<string>());
        foreach (var blob in FilesBelow(_repo.Blobs))
            if (ContentHash.IsKnown(Path.GetFileName(blob))) Check(blob, Path.GetFileName(blob));
        foreach (var revision in Revisions())
        {
            var listed = (_repo.LoadTree(revision.Commit) ?? []).ToDictionary(file => file.Path, file => file.Hash);
            foreach (var file in FilesBelow(_repo.Snapshot(revision.Commit)))
            {
                var path = Path.GetRelativePath(_repo.Snapshot(revision.Commit), file).Replace(Path.DirectorySeparatorChar, '/');
                if (Target(file) is null) wrong.Add(Relative(file));           // a link to nothing
                else if (new FileInfo(file).LinkTarget is null && listed.TryGetValue(path, out var hash)) Check(file, hash);
            }
        }
        return (right, wrong);

        void Check(string file, string hash)
        {
            stop.ThrowIfCancellationRequested();
            if (IsRight(file, hash)) right++;
            else wrong.Add(Relative(file));
        }
    }

    /// <summary>Removes all of it.</summary>
    /// <exception cref="AttuneException">A process downloads it just now, or it cannot be removed.</exception>
    internal void Remove() => Changing(() =>
    {
        DeleteFolder(_repo.Folder);
        DeleteFolder(Path.GetDirectoryName(_repo.Lock(""))!);
    });

    /// <summary>Removes a commit, with the contents that no other commit has.</summary>
    /// <exception cref="AttuneException">A process downloads from the repository just now, or it cannot be removed.</exception>
    internal void Remove(CachedRevision revision) => Changing(() =>
    {
        foreach (var name in revision.References) File.Delete(Path.Combine([_repo.References, .. name.Split('/')]));
        DeleteFolder(_repo.Snapshot(revision.Commit));
        if (File.Exists(_repo.Tree(revision.Commit))) File.Delete(_repo.Tree(revision.Commit));
        DeleteFolder(Path.Combine(_repo.Folder, ".no_exist", revision.Commit));
        var used = FilesBelow(_repo.Snapshots).Select(file => Path.GetFileName(new FileInfo(file).LinkTarget)).ToHashSet();
        foreach (var blob in FilesBelow(_repo.Blobs))
            if (!used.Contains(Path.GetFileName(blob))) File.Delete(blob);
    });

    /// <summary>The commit of a branch, a tag, or of the first digits of its name.</summary>
    internal CachedRevision? Find(string revision)
    {
        var all = Revisions();
        return all.FirstOrDefault(found => found.References.Contains(revision) || found.Commit == revision) ??
            (revision.Length >= 7 && all.Where(found => found.Commit.StartsWith(revision, StringComparison.Ordinal)).ToList() is [var only] ? only : null);
    }

    private IEnumerable<(string Name, string Commit)> References() => FilesBelow(_repo.References)
        .Select(file => Path.GetRelativePath(_repo.References, file).Replace(Path.DirectorySeparatorChar, '/'))
        .Select(name => (name, _repo.ReadReference(name) ?? ""));

    /// <summary>Files that take room: blobs, parts, and what stands in snapshots itself.</summary>
    private IEnumerable<FileInfo> Contents() => FilesBelow(_repo.Blobs).Concat(FilesBelow(_repo.Snapshots))
        .Select(file => new FileInfo(file)).Where(file => file.LinkTarget is null);

    /// <summary>The file itself, or what its link leads to; null where that is nothing.</summary>
    private static FileInfo? Target(string file)
    {
        try
        {
            var end = File.ResolveLinkTarget(file, returnFinalTarget: true) as FileInfo ?? new FileInfo(file);
            return end is { Exists: true, LinkTarget: null } ? end : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;                                       // links that lead in a circle
        }
    }

    /// <summary>Whether a file has its content; one that cannot be read has not.</summary>
    private static bool IsRight(string file, string hash)
    {
        try
        {
            return ContentHash.Matches(file, hash);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static IEnumerable<string> FilesBelow(string folder) =>
        Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 }) : [];

    private string Relative(string file) => Path.GetRelativePath(_cache, file);

    private void Changing(Action change)
    {
        try
        {
            RequireIdle();
            change();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AttuneException($"The {this} cannot be removed from {_cache}: {e.Message.TrimEnd('.')}; " +
                $"check who owns it and whether a program has it open.", e);
        }
    }

    private static void DeleteFolder(string folder)
    {
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
    }

    private void RequireIdle()
    {
        var locks = Path.GetDirectoryName(_repo.Lock(""))!;
        if (!Directory.Exists(locks)) return;
        foreach (var path in Directory.EnumerateFiles(locks, "*.lock"))
        {
            using var held = FileLock.Take(path);
            if (held is null) throw new AttuneException($"The {this} is being downloaded by another process; wait for its end or stop it.");
        }
    }
}
