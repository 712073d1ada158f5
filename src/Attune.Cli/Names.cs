using Attune.Datasets;
using Attune.Hub;

namespace Attune.Cli;

/// <summary>Names of models and data sets become local folders here and nowhere else.</summary>
internal static class Names
{
    /// <summary>The embedded encoder: a configuration and a vocabulary, no weights.</summary>
    internal const string EmbeddedEncoder = "attune/mini";

    /// <summary>Folder of the last run, where no other is named.</summary>
    internal const string LastRun = "trainer_output";

    /// <summary>The folder of a model.</summary>
    /// <exception cref="AttuneException">There is none.</exception>
    internal static string ModelFolder(string name)
    {
        if (name == EmbeddedEncoder) return Path.Combine(AppContext.BaseDirectory, "attune-mini");
        if (name.StartsWith("attune/", StringComparison.Ordinal))
            throw new AttuneException($"There is no embedded model \"{name}\"; there is {EmbeddedEncoder}.");
        if (name == LastRun && !Directory.Exists(name))
            throw new AttuneException($"There is no {LastRun} here; train a model first, or name one by --model.");
        if (Directory.Exists(name)) return name;               // as the user wrote it, for messages
        var path = HubCache.Resolve(name, RepoKind.Model).Path;
        return Directory.Exists(path) ? path : throw new AttuneException($"{name} is a file; name the folder of the model, which holds config.json.");
    }

    /// <summary>The folder or file of a data set.</summary>
    /// <exception cref="AttuneException">There is none, or it has no such configuration.</exception>
    internal static string Data(string name, string? config)
    {
        var found = Path.Exists(name) ? new ResolvedName(name, null, null) : HubCache.Resolve(name, RepoKind.Dataset);
        if ((config ?? found.Config) is not { } part) return OnlyConfiguration(name, found.Path);
        var folder = Path.Combine(found.Path, part);
        if (Directory.Exists(folder)) return folder;
        var parts = Directory.Exists(found.Path)
            ? Directory.GetDirectories(found.Path).Select(Path.GetFileName).OfType<string>().Order(StringComparer.Ordinal).ToList() : [];
        throw new AttuneException($"The data set {name} has no configuration \"{part}\": {found.Path} holds " +
            $"{(parts.Count == 0 ? "no folders" : string.Join(", ", parts))}.{Spelling.DidYouMean(part, parts)}");
    }

    /// <summary>The folder itself where it holds splits, else its only subfolder that does, such as imdb's plain_text.</summary>
    private static string OnlyConfiguration(string name, string path)
    {
        if (!Directory.Exists(path) || SplitFiles.Holds(path)) return path;
        var parts = Directory.GetDirectories(path).Where(SplitFiles.Holds).Order(StringComparer.Ordinal).ToList();
        return parts.Count == 0 ? path : parts is [var only] ? only : throw new AttuneException(
            $"The data set {name} has the configurations {string.Join(", ", parts.Select(Path.GetFileName))}; choose one by --dataset-config.");
    }
}
