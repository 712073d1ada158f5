using Attune.Datasets;
using Attune.Hub;

namespace Attune.Cli;

/// <summary>Which files of a data set of the hub are fetched: those of one configuration that can be read.</summary>
internal static class DatasetFiles
{
    private const string Root = "", Data = "data";

    /// <summary>The branch on which the hub keeps data sets of other forms converted to Parquet.</summary>
    internal const string Converted = "refs/convert/parquet";

    /// <summary>Whether there are files that can be read.</summary>
    internal static bool AreIn(IReadOnlyList<RepoFile> all) => all.Any(file => SplitFiles.IsOfSplit(file.Path) || SplitFiles.IsInSplitFolder(file.Path));

    /// <summary>Chooses among all files of the repository.</summary>
    /// <param name="all">The files.</param>
    /// <param name="name">The data set, for messages.</param>
    /// <param name="config">The configuration that was named; null for the only one.</param>
    /// <exception cref="AttuneException">There is no such configuration, there are several, or there is no file that can be read.</exception>
    internal static IEnumerable<RepoFile> Choose(IReadOnlyList<RepoFile> all, string name, string? config)
    {
        var places = all.Where(file => SplitFiles.IsOfSplit(file.Path)).ToLookup(file => PlaceOf(file.Path));
        if (places.Count == 0)
            places = all.Where(file => SplitFiles.IsInSplitFolder(file.Path)).ToLookup(file => PlaceOf(file.Path[..file.Path.LastIndexOf('/')]));
        if (config is not null)
            return places.Contains(config) ? places[config] : throw Names.NoConfiguration(name, config, "the hub",
                all.Select(file => file.Path.Split('/')).Where(path => path.Length > 1).Select(path => path[0]).Distinct());
        if (places.Contains(Root)) return places[Root];
        var configurations = places.Select(place => place.Key).Where(place => !place.Contains('/', StringComparison.Ordinal))
            .Order(StringComparer.Ordinal).ToList();
        return configurations is [var only] ? places[only]
            : configurations.Count > 1 ? throw Names.SeveralConfigurations(name, configurations)
            : throw new AttuneException($"The data set {name} has no data file on the hub: none is named train, validation (valid, val, dev, " +
                $"eval) or test and ends in {DatasetFile.KnownExtensions}, nor lies in a folder of such a name; download it by " +
                $"\"attune download --repo-type dataset {name}\" and name its files one by one.");
    }

    /// <summary>The sentence for a split of which the hub converted only a part; null where all are whole.</summary>
    internal static string? Warning(string name, IEnumerable<string> files)
    {
        var partial = files.Select(Path.GetDirectoryName).OfType<string>().Where(SplitFiles.IsPartial).Select(folder => Path.GetFileName(folder)).Distinct().ToList();
        return partial.Count > 0
            ? $"Of the data set {name} the hub has only a part as Parquet ({string.Join(", ", partial)}: the first 5 GB); the rows behind it are missing."
            : null;
    }

    /// <summary>The folder of a file, where "data" is no place of its own: data/train.csv belongs to the whole, x/data/train.csv to x.</summary>
    private static string PlaceOf(string path)
    {
        var folder = path.LastIndexOf('/') is var end and >= 0 ? path[..end] : Root;
        return folder == Data ? Root : folder.EndsWith("/" + Data, StringComparison.Ordinal) ? folder[..^(Data.Length + 1)] : folder;
    }
}
