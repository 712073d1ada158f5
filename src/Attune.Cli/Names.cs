using Attune.Datasets;
using Attune.Hub;
using Attune.Models;

namespace Attune.Cli;

/// <summary>Names of models and data sets become local folders here and nowhere else; those of the hub are downloaded.</summary>
internal static class Names
{
    /// <summary>The embedded encoder: a configuration and a vocabulary, no weights.</summary>
    internal const string EmbeddedEncoder = "attune/mini";

    /// <summary>Folder of the last run, where no other is named.</summary>
    internal const string LastRun = "trainer_output";

    /// <summary>The folder of a model, and its commit where it is one of the hub.</summary>
    /// <param name="name">A folder or a name.</param>
    /// <param name="revision">A branch, tag or commit of the hub; null for main.</param>
    /// <param name="terminal">Shows a download.</param>
    /// <param name="withWeights">Whether the weights are needed, which are nearly all of a download.</param>
    /// <exception cref="AttuneException">There is none, or it is of a kind that Attune does not have.</exception>
    internal static ResolvedName Model(string name, string? revision, Terminal terminal, bool withWeights = true)
    {
        if (name == EmbeddedEncoder) return OfOwn(Path.Combine(AppContext.BaseDirectory, "attune-mini"));
        if (name.StartsWith("attune/", StringComparison.Ordinal))
            throw new AttuneException($"There is no embedded model \"{name}\"; there is {EmbeddedEncoder}.");
        if (name == LastRun && !Directory.Exists(name))
            throw new AttuneException($"There is no {LastRun} here; train a model first, or name one by --model.");
        if (Directory.Exists(name)) return OfOwn(name);        // as the user wrote it, for messages
        if (HubCache.Own(name, RepoKind.Model) is { } own)
            return Directory.Exists(own.Path) ? own : throw new AttuneException($"{name} is a file; name the folder of the model, which holds config.json.");
        return FromHub(name, revision, terminal, withWeights);
    }

    /// <summary>The folder or file of a data set, and its commit where it is one of the hub.</summary>
    /// <exception cref="AttuneException">There is none, or it has no such configuration.</exception>
    internal static ResolvedName Data(string name, string? config, string? revision, Terminal terminal)
    {
        var found = Path.Exists(name) ? OfOwn(name) : HubCache.Own(name, RepoKind.Dataset) ?? DataFromHub(name, config, revision, terminal);
        if ((config ?? found.Config) is not { } part) return found with { Path = OnlyConfiguration(name, found.Path) };
        var folder = Path.Combine(found.Path, part);
        if (Directory.Exists(folder)) return found with { Path = folder };
        throw NoConfiguration(name, part, found.Path,
            Directory.Exists(found.Path) ? Directory.GetDirectories(found.Path).Select(Path.GetFileName).OfType<string>() : []);
    }

    /// <summary>The sentence for a configuration that is not there.</summary>
    internal static AttuneException NoConfiguration(string name, string config, string place, IEnumerable<string> folders)
    {
        var parts = folders.Order(StringComparer.Ordinal).ToList();
        return new AttuneException($"The data set {name} has no configuration \"{config}\": {place} holds " +
            $"{(parts.Count == 0 ? "no folders" : string.Join(", ", parts))}.{Spelling.DidYouMean(config, parts)}");
    }

    /// <summary>The sentence for a data set that has several and none was chosen.</summary>
    internal static AttuneException SeveralConfigurations(string name, IEnumerable<string> configurations) =>
        new($"The data set {name} has the configurations {string.Join(", ", configurations)}; choose one by --dataset-config.");

    /// <summary>First what is small, so that a model of another kind is refused before its weights come.</summary>
    private static ResolvedName FromHub(string name, string? revision, Terminal terminal, bool withWeights)
    {
        using var download = HubAccess.Open(terminal);
        var found = Get(revision, FileChoice.WithoutWeights);
        if (!Directory.Exists(found.Path)) throw DownloadCommand.NothingChosen(name);
        if (!withWeights) return found;
        BertConfig.Load(Path.Combine(found.Path, BertConfig.FileName));
        return Get(found.Commit, FileChoice.Model);

        ResolvedName Get(string? wanted, Func<IReadOnlyList<RepoFile>, IEnumerable<RepoFile>> choose) =>
            HubAccess.Run(stop => download.GetAsync(name, RepoKind.Model, wanted, choose, stop), terminal);
    }

    /// <summary>The files as they are, or where none can be read those that the hub has converted.</summary>
    private static ResolvedName DataFromHub(string name, string? config, string? revision, Terminal terminal)
    {
        config ??= HubCache.Parse(name, RepoKind.Dataset, revision).Config;
        using var download = HubAccess.Open(terminal);
        var (hasData, isListed) = (false, false);
        try
        {
            return Get(revision);
        }
        catch (AttuneException) when (revision is null && !hasData && (isListed || HubSettings.FromEnvironment().IsOffline))
        {
            try
            {
                return Get(DatasetFiles.Converted);
            }
            catch (AttuneException)
            {
                // There is no such branch: what was said of the files as they are is what helps.
            }
            throw;
        }

        ResolvedName Get(string? wanted) => HubAccess.Run(stop => download.GetAsync(name, RepoKind.Dataset, wanted, all =>
        {
            (isListed, hasData) = (true, DatasetFiles.AreIn(all));
            return DatasetFiles.Choose(all, name, config);
        }, stop), terminal);
    }

    /// <summary>The folder itself where it holds splits, else its only subfolder that does, such as imdb's plain_text.</summary>
    private static string OnlyConfiguration(string name, string path)
    {
        if (!Directory.Exists(path) || SplitFiles.Holds(path)) return path;
        var parts = Directory.GetDirectories(path).Where(SplitFiles.Holds).Order(StringComparer.Ordinal).ToList();
        return parts.Count == 0 ? path : parts is [var only] ? only : throw SeveralConfigurations(name, parts.Select(part => Path.GetFileName(part)));
    }

    private static ResolvedName OfOwn(string path) => new(path, null, null);
}
