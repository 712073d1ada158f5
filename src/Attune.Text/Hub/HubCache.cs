using Attune.Formats;

namespace Attune.Hub;

/// <summary>What a name of the hub stands for.</summary>
public enum RepoKind
{
    /// <summary>A model.</summary>
    Model,

    /// <summary>A data set.</summary>
    Dataset,
}

/// <summary>Where a name leads.</summary>
/// <param name="Path">An existing folder or file: the user's own, or a snapshot in the hub's cache.</param>
/// <param name="Config">The configuration that the name itself chose, such as <c>sst2</c> of <c>glue/sst2</c>; else null.</param>
/// <param name="Commit">The commit of a snapshot; null for a folder of the user's own.</param>
public sealed record ResolvedName(string Path, string? Config, string? Commit);

/// <summary>Turns names into folders. Only programs call it: everything else takes a folder.</summary>
/// <remarks>The cache has the layout of huggingface_hub, so what its tools have downloaded is found and the other way round.</remarks>
public static class HubCache
{
    private const string DefaultRevision = "main";

    /// <summary>Finds the folder or file of a name.</summary>
    /// <param name="nameOrFolder">An existing folder or file, <c>glue/TASK</c>, or a name of the hub such as <c>bert-base-uncased</c> or <c>org/name</c>.</param>
    /// <param name="kind">Whether the name is that of a model or a data set.</param>
    /// <param name="revision">A branch, tag or commit of the hub; null for <c>main</c>. Not for folders of one's own.</param>
    /// <exception cref="AttuneException">The name is impossible, or nothing of that name is on this machine.</exception>
    public static ResolvedName Resolve(string nameOrFolder, RepoKind kind, string? revision = null) =>
        Resolve(nameOrFolder, kind, revision, Folder(Environment.GetEnvironmentVariable));

    /// <summary>The cache's folder by the environment: HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME, else below the home folder.</summary>
    public static string Folder() => Folder(Environment.GetEnvironmentVariable);

    internal static string Folder(Func<string, string?> variable)
    {
        string? Set(string name) => variable(name) is { Length: > 0 } value ? Expanded(value) : null;
        if (Set("HF_HUB_CACHE") is { } cache) return cache;
        var home = Set("HF_HOME") ?? Path.Combine(Set("XDG_CACHE_HOME") ?? Path.Combine(Home(), ".cache"), "huggingface");
        return Path.Combine(home, "hub");
    }

    internal static ResolvedName Resolve(string nameOrFolder, RepoKind kind, string? revision, string cache)
    {
        if (nameOrFolder.Length == 0) throw new AttuneException($"The name of the {Word(kind)} is empty; give a folder or a name of the hub.");
        var own = Expanded(nameOrFolder);
        if (Path.Exists(own)) return new ResolvedName(Path.GetFullPath(own), null, null);
        if (!RepoName.TryParse(nameOrFolder, kind, out var names, out var config))
            throw new AttuneException($"{Shown.Of(nameOrFolder)} is neither an existing folder or file nor a possible name of the hub; check its spelling.");
        if (revision is { } wanted && !IsSafeRevision(wanted))
            throw new AttuneException($"The revision {Shown.Of(wanted)} is not possible; give a branch, a tag or a commit.");
        foreach (var name in names)
        {
            var repo = Path.Combine(cache, RepoName.CacheFolder(name, kind));
            if (FindCommit(repo, revision ?? DefaultRevision) is { } commit)
                return new ResolvedName(Path.Combine(repo, "snapshots", commit), config, commit);
        }
        throw new AttuneException($"The {Word(kind)} {Shown.Of(nameOrFolder)}{(revision is null ? "" : $" at the revision {Shown.Of(revision)}")} " +
            $"is neither a folder here nor in the cache {cache} (looked for {string.Join(" and ", names.Select(name => RepoName.CacheFolder(name, kind)))}); " +
            $"download it with Hugging Face's tools, for instance \"hf download {(kind == RepoKind.Dataset ? "--repo-type dataset " : "")}{names[0]}\", " +
            "or give the path of a folder that holds it.");
    }

    /// <summary>The commit whose snapshot is there for a branch, a tag, or a commit itself.</summary>
    private static string? FindCommit(string repo, string revision)
    {
        var reference = Path.Combine([repo, "refs", .. revision.Split('/')]);
        var commit = File.Exists(reference) ? ReadReference(reference) : revision;
        return RepoName.IsPlainPart(commit) && Directory.Exists(Path.Combine(repo, "snapshots", commit)) ? commit : null;
    }

    private static string ReadReference(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AttuneException($"{path} cannot be read: {e.Message.TrimEnd('.')}; check its permissions.", e);
        }
    }

    // Branches of the hub may have slashes: refs/convert/parquet.
    private static bool IsSafeRevision(string revision) => revision.Split('/').All(RepoName.IsPlainPart);

    private static string Word(RepoKind kind) => kind == RepoKind.Model ? "model" : "data set";

    private static string Home() => Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);

    private static string Expanded(string path) =>
        path == "~" || path.StartsWith("~/", StringComparison.Ordinal) ? Path.Join(Home(), path[1..]) : path;
}
