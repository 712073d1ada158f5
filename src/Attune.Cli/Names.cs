using Attune.Datasets;
using Attune.Hub;
using Attune.Models;

namespace Attune.Cli;

/// <summary>Names of models and data sets become local folders here and nowhere else; those of the hub are downloaded.</summary>
internal static class Names
{
    /// <summary>Begins the names of what is embedded.</summary>
    internal const string OfOurOwn = "attune/";

    /// <summary>The embedded encoder: small, and pretrained by <c>attune pretrain</c>.</summary>
    internal const string EmbeddedEncoder = OfOurOwn + "mini";

    /// <summary>The branch on which the hub keeps data sets of other forms converted to Parquet.</summary>
    private const string Converted = "refs/convert/parquet";

    /// <summary>Folder of the last run, where no other is named.</summary>
    internal const string LastRun = "trainer_output";

    /// <summary>What a file or folder itself is called, wherever it lies.</summary>
    internal static string LastPart(string path) => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));

    /// <summary>The folder of a model, and its commit where it is one of the hub.</summary>
    /// <param name="name">A folder or a name.</param>
    /// <param name="revision">A branch, tag or commit of the hub; null for main.</param>
    /// <param name="terminal">Shows a download.</param>
    /// <param name="withWeights">Whether the weights are needed, which are nearly all of a download.</param>
    /// <exception cref="AttuneException">There is none, or it is of a kind that Attune does not have.</exception>
    internal static ResolvedName Model(string name, string? revision, Terminal terminal, bool withWeights = true)
    {
        if (name == EmbeddedEncoder) return OfOwn(Path.Combine(AppContext.BaseDirectory, "attune-mini"));
        if (name.StartsWith(OfOurOwn, StringComparison.Ordinal))
            throw new AttuneException($"There is no embedded model \"{name}\"; there is {EmbeddedEncoder}.");
        if (name == LastRun && !Directory.Exists(name))
            throw new AttuneException($"There is no {LastRun} here; train a model first, or name one by --model.");
        if (Directory.Exists(name)) return OfOwn(name);        // as the user wrote it, for messages
        if (HubCache.Own(name, RepoKind.Model) is { } own)
            return Directory.Exists(own.Path) ? own : throw new AttuneException($"{name} is a file; name the folder of the model, which holds config.json.");
        return Asked(name, RepoKind.Model, revision, HubSettings.FromEnvironment(), terminal, () => FromHub(name, revision, terminal, withWeights));
    }

    /// <summary>The folder or file of a data set, the configuration that its name has in it, and its commit where it is one of the hub.</summary>
    /// <exception cref="AttuneException">There is none, or the hub has no such configuration of it.</exception>
    internal static ResolvedName Data(string name, string? config, string? revision, Terminal terminal) =>
        Path.Exists(name) ? OfOwn(name) : HubCache.Own(name, RepoKind.Dataset) ??
        Asked(name, RepoKind.Dataset, revision, HubSettings.FromEnvironment(), terminal, () => DataFromHub(name, config, revision, terminal));

    /// <summary>Says that the hub is asked where nothing is here, for it may take half a minute until it is known that it does not answer; a mistyped folder is seen at once.</summary>
    /// <param name="name">The name.</param>
    /// <param name="kind">What it names.</param>
    /// <param name="revision">A branch, tag or commit; null for main.</param>
    /// <param name="settings">Where the hub and the cache are.</param>
    /// <param name="terminal">Takes the line.</param>
    /// <param name="ask">Asks.</param>
    /// <exception cref="AttuneException">The name is none, or asking comes to nothing.</exception>
    internal static ResolvedName Asked(string name, RepoKind kind, string? revision, HubSettings settings, Terminal terminal, Func<ResolvedName> ask)
    {
        if (settings.IsOffline || HubCache.IsHere(name, kind, revision, settings.Cache)) return ask();
        var (nothing, wanted) = kind == RepoKind.Model ? ("There is no folder", "a model") : ("There is no folder or file", "a data set");
        terminal.Tell($"{nothing} {name} here, so the hub is asked for {wanted} of that name.");
        try
        {
            return ask();
        }
        catch (AttuneException e) when (e.InnerException is UnreachableException or AbsentRepoException)
        {
            throw new AttuneException($"{nothing} {name} here, and fetching {wanted} of that name from the hub fails: {e.Message}", e);
        }
    }

    /// <summary>First what is small, so that a model of another kind is refused before its weights come.</summary>
    private static ResolvedName FromHub(string name, string? revision, Terminal terminal, bool withWeights)
    {
        using var download = HubAccess.Open(terminal);
        var found = HubAccess.Run(stop =>
            download.GetAsync(name, RepoKind.Model, revision, FileChoice.WithoutWeights, stop, withWeights ? WithWeights : null), terminal);
        return Directory.Exists(found.Path) ? found : throw DownloadCommand.NothingChosen(name);

        IEnumerable<RepoFile> WithWeights(string folder, IReadOnlyList<RepoFile> all)
        {
            if (!Directory.Exists(folder)) throw DownloadCommand.NothingChosen(name);
            if (AdapterFolder.Is(folder)) AdapterFolder.ConfigOf(folder);
            else PreTrainedConfig.Load(Path.Combine(folder, PreTrainedConfig.FileName));
            return FileChoice.Model(all);
        }
    }

    /// <summary>The files as they are, or where none can be read those that the hub has converted. The card comes first: it says which files are needed.</summary>
    private static ResolvedName DataFromHub(string name, string? config, string? revision, Terminal terminal)
    {
        config ??= HubCache.Parse(name, RepoKind.Dataset, revision).Config;
        using var download = HubAccess.Open(terminal);
        var (hasData, isListed) = (false, false);
        try
        {
            return Rows(revision);
        }
        catch (AttuneException e) when (revision is null && !hasData &&
            (isListed || HubSettings.FromEnvironment().IsOffline || e.InnerException is UnreachableException && IsConvertedHere(name)))
        {
            try
            {
                return Rows(Converted);
            }
            catch (AttuneException)
            {
                // There is no such branch: what was said of the files as they are is what helps.
            }
            throw;
        }

        ResolvedName Rows(string? wanted) => HubAccess.Run(stop => download.GetAsync(name, RepoKind.Dataset, wanted, Card, stop, WithRows), terminal);

        IEnumerable<RepoFile> Card(IReadOnlyList<RepoFile> all)
        {
            (isListed, hasData) = (true, all.Any(file => RepositoryFiles.IsData(file.Path)));
            return all.Where(file => file.Path == DatasetCard.FileName);
        }

        IEnumerable<RepoFile> WithRows(string folder, IReadOnlyList<RepoFile> all)
        {
            var repository = DatasetRepository.Of(name, $"{name} on the hub", all.Select(file => file.Path), DatasetCard.Read(folder, warn: null), warn: null);
            var needed = repository.Config(config).Splits.Values.SelectMany(files => files).Append(DatasetCard.FileName).ToHashSet(StringComparer.Ordinal);
            return all.Where(file => needed.Contains(file.Path));
        }
    }

    private static bool IsConvertedHere(string name)
    {
        try
        {
            return HubCache.Resolve(name, RepoKind.Dataset, Converted).Commit is not null;
        }
        catch (AttuneException)
        {
            return false;
        }
    }

    private static ResolvedName OfOwn(string path) => new(path, null, null);
}
