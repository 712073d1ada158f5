using Attune.Formats;

namespace Attune.Hub;

/// <summary>A repository in the cache, in the layout of huggingface_hub: content once in blobs, a folder of links for each commit in snapshots.</summary>
/// <param name="cache">The folder of all repositories.</param>
/// <param name="name">The folder of this one, such as <c>models--org--name</c>.</param>
internal sealed class RepoCache(string cache, string name)
{
    private const string Tag = "Signature: 8a477f597d28d172789f06886806bc55\n# Downloads from the Hugging Face hub; they can be made again.\n";

    /// <summary>The folder of the repository.</summary>
    internal string Folder { get; } = Path.Combine(cache, name);

    /// <summary>Whether files of a snapshot may be links; where they cannot be made, they are the files themselves.</summary>
    internal bool MayLink { get; init; } = true;

    internal string Blobs => Path.Combine(Folder, "blobs");

    internal string Snapshots => Path.Combine(Folder, "snapshots");

    internal string References => Path.Combine(Folder, "refs");

    /// <summary>The content of a hash.</summary>
    internal string Blob(string hash) => Path.Combine(Blobs, hash);

    /// <summary>What is there of a content that is not whole yet; the next process goes on with it.</summary>
    internal string Partial(string hash) => Blob(hash) + ".attune.incomplete";

    /// <summary>A name for a content that this process alone downloads, as huggingface_hub gives it.</summary>
    internal string OwnPartial(string hash) => $"{Blob(hash)}.{Guid.NewGuid().ToString("N")[..8]}.incomplete";

    /// <summary>The file that whoever downloads a content locks, Python included.</summary>
    internal string Lock(string hash) => Path.Combine(cache, ".locks", name, hash + ".lock");

    /// <summary>The folder of a commit.</summary>
    internal string Snapshot(string commit) => Path.Combine(Snapshots, commit);

    /// <summary>The list of a commit's files.</summary>
    internal string Tree(string commit) => Path.Combine(Folder, "trees", commit + ".json");

    /// <summary>Whether a file of a commit is there, whole.</summary>
    internal bool Has(string commit, RepoFile file) => LengthOf(RepoPath.Below(Snapshot(commit), file.Path)) == file.Size;

    /// <summary>Whether the content of a file is there, whole.</summary>
    internal bool HasBlob(RepoFile file) => LengthOf(Blob(file.Hash)) == file.Size;

    /// <summary>How much of a content an earlier process has left.</summary>
    internal long PartOf(RepoFile file) => Math.Min(LengthOf(Partial(file.Hash)) ?? 0, file.Size);

    /// <summary>The commit that a branch or tag stood for when it was last asked for; null where it never was.</summary>
    internal string? ReadReference(string revision)
    {
        var path = Path.Combine([References, .. revision.Split('/')]);
        if (!File.Exists(path)) return null;
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AttuneException($"{path} cannot be read: {e.Message.TrimEnd('.')}; check its permissions.", e);
        }
    }

    /// <summary>Notes the commit of a branch or tag. A cache that is only to be read serves as well without.</summary>
    internal void WriteReference(string revision, string commit)
    {
        try
        {
            if (ReadReference(revision) == commit) return;
            var path = Path.Combine([References, .. revision.Split('/')]);
            AtomicFile.CreateFolder(Path.GetDirectoryName(path)!);
            AtomicFile.WriteText(path, commit);
        }
        catch (AttuneException)
        {
            // The snapshot is there; the next process asks the hub again.
        }
    }

    /// <summary>The list of a commit's files, where it is kept.</summary>
    internal IReadOnlyList<RepoFile>? LoadTree(string commit) => RepoTree.Load(Tree(commit));

    /// <summary>The files of a commit that are here, of which no list is kept; their hashes are not known.</summary>
    internal IReadOnlyList<RepoFile> FilesHere(string commit)
    {
        var folder = Snapshot(commit);
        return
        [
            .. Directory.EnumerateFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 })
                .Select(file => (Path: Path.GetRelativePath(folder, file).Replace(Path.DirectorySeparatorChar, '/'), Size: LengthOf(file)))
                .Where(file => file.Size is not null).Select(file => new RepoFile(file.Path, file.Size!.Value, "", null, null)),
        ];
    }

    /// <summary>Keeps the list of a commit's files, where the cache may be written.</summary>
    internal void SaveTree(string commit, IEnumerable<RepoFile> files)
    {
        try
        {
            AtomicFile.CreateFolder(Path.GetDirectoryName(Tree(commit))!);
            RepoTree.Save(Tree(commit), files);
        }
        catch (AttuneException)
        {
            // The hub is asked again the next time.
        }
    }

    /// <summary>Makes the folders, and marks the cache for programs that make backups.</summary>
    internal void Create(string commit)
    {
        AtomicFile.CreateFolder(Blobs);
        AtomicFile.CreateFolder(Snapshot(commit));
        AtomicFile.CreateFolder(Path.GetDirectoryName(Lock(""))!);
        var tag = Path.Combine(cache, "CACHEDIR.TAG");
        if (!File.Exists(tag)) AtomicFile.WriteText(tag, Tag);
    }

    /// <summary>Notes that a commit has no file of a name, so that Python need not ask the hub for it, where the cache may be written.</summary>
    internal void MarkAbsent(string commit, string path)
    {
        var mark = RepoPath.Below(Path.Combine(Folder, ".no_exist", commit), path);
        if (File.Exists(mark)) return;
        try
        {
            AtomicFile.CreateFolder(Path.GetDirectoryName(mark)!);
            AtomicFile.Write(mark, _ => { }, isDurable: false);
        }
        catch (AttuneException)
        {
            // Python asks the hub, then.
        }
    }

    /// <summary>Puts a content that is in blobs into a snapshot: a relative link, or the file itself where links cannot be made.</summary>
    internal void Link(string commit, RepoFile file)
    {
        var (place, blob) = (RepoPath.Below(Snapshot(commit), file.Path), Blob(file.Hash));
        AtomicFile.CreateFolder(Path.GetDirectoryName(place)!);
        try
        {
            if (File.Exists(place) || new FileInfo(place).LinkTarget is not null) File.Delete(place);
            if (MayLink && TryLink(place, blob) || Has(commit, file)) return;
            File.Move(blob, place, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Another process may have put it there at the same time.
            if (!Has(commit, file)) throw AtomicFile.Unwritable(place, e);
        }
    }

    private static bool TryLink(string place, string blob)
    {
        try
        {
            File.CreateSymbolicLink(place, Path.GetRelativePath(Path.GetDirectoryName(place)!, blob));
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Size of a file, of the one behind a link; null where there is none that can be read.</summary>
    private static long? LengthOf(string path)
    {
        try
        {
            using var file = File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete);
            return RandomAccess.GetLength(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
