using Attune.Hub;

namespace Attune.Cli;

/// <summary>What to download.</summary>
public sealed record DownloadArguments
{
    /// <summary>What the name stands for.</summary>
    /// <value>model or dataset. Default model.</value>
    public RepoKind RepoType { get; init; }

    /// <summary>Branch, tag or commit.</summary>
    /// <value>Default main.</value>
    public string? Revision { get; init; }

    /// <summary>Patterns of the files to fetch, such as *.json.</summary>
    /// <value>Default: of a model its configuration, its tokenizer and its weights in one form; of a data set everything.</value>
    public IReadOnlyList<string> Include { get; init; } = [];

    /// <summary>Patterns of files to leave out.</summary>
    /// <value>Default: none.</value>
    public IReadOnlyList<string> Exclude { get; init; } = [];

    /// <summary>Folder into which the files are copied from the cache.</summary>
    /// <value>Default: they stay in the cache, where names are looked for.</value>
    public string? LocalDir { get; init; }

    /// <summary>Says what would be fetched, and fetches nothing.</summary>
    /// <value>Default false.</value>
    public bool DryRun { get; init; }
}
