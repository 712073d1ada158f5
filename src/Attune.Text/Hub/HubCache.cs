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

/// <summary>Turns names into folders that are on this machine. Only programs call it: everything else takes a folder.</summary>
/// <remarks>The cache has the layout of huggingface_hub, so what its tools have downloaded is found and the other way round.</remarks>
public static class HubCache
{
    internal const string DefaultRevision = "main";

    /// <summary>Finds the folder or file of a name on this machine; nothing is downloaded.</summary>
    /// <param name="nameOrFolder">An existing folder or file, <c>glue/TASK</c>, or a name of the hub such as <c>bert-base-uncased</c> or <c>org/name</c>.</param>
    /// <param name="kind">Whether the name is that of a model or a data set.</param>
    /// <param name="revision">A branch, tag or commit of the hub; null for <c>main</c>. Not for folders of one's own.</param>
    /// <exception cref="AttuneException">The name is impossible, or nothing of that name is on this machine.</exception>
    public static ResolvedName Resolve(string nameOrFolder, RepoKind kind, string? revision = null) =>
        Resolve(nameOrFolder, kind, revision, Folder(Environment.GetEnvironmentVariable));

    /// <summary>The cache's folder by the environment: HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME, else below the home folder.</summary>
    public static string Folder() => Folder(Environment.GetEnvironmentVariable);

    internal static string Folder(Func<string, string?> variable) =>
        variable("HF_HUB_CACHE") is { Length: > 0 } cache ? Expanded(cache) : Path.Combine(Home(variable), "hub");

    /// <summary>The folder of all that Hugging Face's tools keep of a user.</summary>
    internal static string Home(Func<string, string?> variable)
    {
        string? Set(string name) => variable(name) is { Length: > 0 } value ? Expanded(value) : null;
        return Set("HF_HOME") ?? Path.Combine(Set("XDG_CACHE_HOME") ?? Path.Combine(UserFolder(), ".cache"), "huggingface");
    }

    internal static ResolvedName Resolve(string nameOrFolder, RepoKind kind, string? revision, string cache)
    {
        if (Own(nameOrFolder, kind) is { } own) return own;
        var (names, config) = Parse(nameOrFolder, kind, revision);
        foreach (var name in names)
        {
            var repo = new RepoCache(cache, RepoName.CacheFolder(name, kind));
            if (Find(repo, revision) is { } commit) return new ResolvedName(repo.Snapshot(commit), config, commit);
        }
        throw NotHere(nameOrFolder, kind, revision, cache, isOffline: false);
    }

    /// <summary>Whether the cache has something of a name of the hub.</summary>
    /// <exception cref="AttuneException">The name or the revision is impossible.</exception>
    internal static bool IsHere(string name, RepoKind kind, string? revision, string cache) =>
        Parse(name, kind, revision).Names.Any(form => Find(new RepoCache(cache, RepoName.CacheFolder(form, kind)), revision) is not null);

    /// <summary>The sentence for a name that is not on this machine.</summary>
    internal static AttuneException NotHere(string name, RepoKind kind, string? revision, string cache, bool isOffline)
    {
        var names = Parse(name, kind, revision).Names;
        return new AttuneException($"The {Word(kind)} {Shown.Of(name)}{(revision is null ? "" : $" at the revision {Shown.Of(revision)}")} " +
            $"is neither a folder here nor in the cache {cache} (looked for {string.Join(" and ", names.Select(form => RepoName.CacheFolder(form, kind)))}); " +
            (isOffline ? "unset HF_HUB_OFFLINE (or its like) to download it"
                : $"download it by \"attune download {(kind == RepoKind.Dataset ? "--repo-type dataset " : "")}{names[0]}\"") +
            ", or give the path of a folder that holds it.");
    }

    /// <summary>An existing folder or file of the user's own; it goes before any name.</summary>
    internal static ResolvedName? Own(string nameOrFolder, RepoKind kind)
    {
        if (nameOrFolder.Length == 0) throw new AttuneException($"The name of the {Word(kind)} is empty; give a folder or a name of the hub.");
        var own = Expanded(nameOrFolder);
        return Path.Exists(own) ? new ResolvedName(Path.GetFullPath(own), null, null) : null;
    }

    /// <summary>The names under which a repository may be stored, and the configuration in the name.</summary>
    /// <exception cref="AttuneException">The name or the revision is impossible.</exception>
    internal static (string[] Names, string? Config) Parse(string name, RepoKind kind, string? revision)
    {
        if (!RepoName.TryParse(name, kind, out var names, out var config))
            throw new AttuneException($"{Shown.Of(name)} is neither an existing folder or file nor a possible name of the hub; check its spelling.");
        if (revision is { } wanted && !IsSafeRevision(wanted))
            throw new AttuneException($"The revision {Shown.Of(wanted)} is not possible; give a branch, a tag or a commit.");
        return (names, config);
    }

    /// <summary>The commit whose snapshot is there for a branch, a tag, or a commit itself; null for <c>main</c>.</summary>
    internal static string? Find(RepoCache repo, string? revision)
    {
        var commit = repo.ReadReference(revision ?? DefaultRevision) ?? revision ?? DefaultRevision;
        return RepoName.IsPlainPart(commit) && Directory.Exists(repo.Snapshot(commit)) ? commit : null;
    }

    /// <summary>A path in which ~ stands for the user's folder.</summary>
    internal static string Expanded(string path) =>
        path == "~" || path.StartsWith("~/", StringComparison.Ordinal) ? Path.Join(UserFolder(), path[1..]) : path;

    // Branches of the hub may have slashes: refs/convert/parquet.
    private static bool IsSafeRevision(string revision) => revision.Split('/').All(RepoName.IsPlainPart);

    private static string Word(RepoKind kind) => kind == RepoKind.Model ? "model" : "data set";

    private static string UserFolder() => Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
}
