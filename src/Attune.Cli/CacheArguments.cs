using Attune.Hub;

namespace Attune.Cli;

/// <summary>What of the cache is meant.</summary>
public sealed record CacheArguments
{
    /// <summary>Only models, or only data sets.</summary>
    /// <value>model or dataset. Default: both.</value>
    public RepoKind? RepoType { get; init; }

    /// <summary>For rm: the one branch, tag or commit to remove; contents that others have too stay.</summary>
    /// <value>Default: all of the repository. A commit may be named by its first 7 digits or more.</value>
    public string? Revision { get; init; }

    /// <summary>For rm: says what would be removed, and removes nothing.</summary>
    /// <value>Default false.</value>
    public bool DryRun { get; init; }
}
