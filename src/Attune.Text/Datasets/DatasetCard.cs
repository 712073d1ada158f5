using System.Globalization;

namespace Attune.Datasets;

/// <summary>What the README.md of a data set says of its configurations (<c>configs</c>) and of their columns and sizes (<c>dataset_info</c>).</summary>
internal sealed class DatasetCard
{
    internal const string FileName = "README.md";

    private static readonly DatasetCard None = new();

    // What says nothing of how rows are read.
    private static readonly string[] Silent = ["config_name", "data_files", "data_dir", "default", "version", "description", "features", "drop_labels"];

    /// <summary>The configurations in their order; none where the files are to be found by their names.</summary>
    internal IReadOnlyList<CardConfig> Configs { get; private init; } = [];

    /// <summary>Columns and sizes of configurations.</summary>
    internal IReadOnlyList<CardInfo> Infos { get; private init; } = [];

    /// <summary>Reads the card of a folder; what it cannot mean is told and left out.</summary>
    internal static DatasetCard Read(string folder, Action<string>? warn)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path)) return None;
        try
        {
            return Of(FrontMatter.Read(path), text => warn?.Invoke($"{path}: {text}."));
        }
        catch (Exception e) when (e is FormatException or IOException or UnauthorizedAccessException)
        {
            warn?.Invoke($"{path}: what it says of the data cannot be read ({e.Message.TrimEnd('.')}), so files and splits are taken by their names.");
            return None;
        }
    }

    internal static DatasetCard Of(IReadOnlyDictionary<string, object?> card, Action<string> warn) => new()
    {
        Configs = [.. Mappings(card.GetValueOrDefault("configs")).Select(config => Config(config, warn)).OfType<CardConfig>()],
        Infos = [.. Mappings(card.GetValueOrDefault("dataset_info")).Select(info => Info(info, warn))],
    };

    /// <summary>The mappings of a list; of one mapping itself.</summary>
    private static IEnumerable<Dictionary<string, object?>> Mappings(object? value) => value switch
    {
        Dictionary<string, object?> one => [one],
        List<object?> list => list.OfType<Dictionary<string, object?>>(),
        _ => [],
    };

    private static CardConfig? Config(Dictionary<string, object?> config, Action<string> warn)
    {
        if (config.GetValueOrDefault("config_name") is not string name)
        {
            warn("a configuration has no config_name and is left out");
            return null;
        }
        if (config.TryGetValue("data_files", out var files) && Splits(files) is null)
        {
            warn($"the data_files of the configuration \"{name}\" are neither a path, nor a list of paths, nor a list of splits with their paths; it is left out");
            return null;
        }
        string[] known = [.. Silent, "sep", "delimiter", "names", "column_names"];
        if (config.Keys.Except(known).ToList() is { Count: > 0 } others)
            warn($"the configuration \"{name}\" says {string.Join(", ", others)}, which has no effect here");
        return new CardConfig(
            name, files is null ? null : Splits(files), config.GetValueOrDefault("data_dir") as string ?? "",
            config.GetValueOrDefault("default") is string text && text.Equals("true", StringComparison.OrdinalIgnoreCase),
            config.GetValueOrDefault("sep") as string ?? config.GetValueOrDefault("delimiter") as string,
            Texts(config.GetValueOrDefault("names") ?? config.GetValueOrDefault("column_names")));
    }

    /// <summary>Patterns by split: given for each, or all for the training rows. Null where the value says something else.</summary>
    private static List<CardSplit>? Splits(object? files) => files switch
    {
        Dictionary<string, object?> bySplit => All(bySplit.Select(split => Split(split.Key, split.Value))),
        List<object?> list when list.Exists(item => item is Dictionary<string, object?>) => All(list.Select(item =>
            item is Dictionary<string, object?> split ? Split(split.GetValueOrDefault("split"), split.GetValueOrDefault("path")) : null)),
        _ => All([Split(DatasetDict.Train, files)]),
    };

    private static List<CardSplit>? All(IEnumerable<CardSplit?> splits)
    {
        var all = splits.ToList();
        return all.Contains(null) || all.DistinctBy(split => split!.Name).Count() < all.Count ? null : [.. all.OfType<CardSplit>()];
    }

    private static CardSplit? Split(object? name, object? patterns) =>
        name is string split && SplitNames.IsPossible(split) && Texts(patterns) is { Count: > 0 } texts ? new CardSplit(split, texts) : null;

    private static List<string>? Texts(object? value) => value switch
    {
        string one => [one],
        List<object?> list when list.TrueForAll(item => item is string) => list.ConvertAll(item => (string)item!),
        _ => null,
    };

    private static CardInfo Info(Dictionary<string, object?> info, Action<string> warn)
    {
        var classes = new Dictionary<string, FeatureType>(StringComparer.Ordinal);
        foreach (var column in Mappings(info.GetValueOrDefault("features")))
        {
            if (column.GetValueOrDefault("name") is not string name) continue;
            try
            {
                if (CardFeature.Classes(column) is { } type) classes.Add(name, type);
            }
            catch (Exception e) when (e is FormatException or AttuneException or ArgumentException)
            {
                warn($"the classes of the column \"{name}\" are not clear ({e.Message.TrimEnd('.')}) and left out");
            }
        }
        var rows = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var split in Mappings(info.GetValueOrDefault("splits")))
            if (split.GetValueOrDefault("name") is string name &&
                long.TryParse(split.GetValueOrDefault("num_examples") as string, NumberStyles.None, CultureInfo.InvariantCulture, out var count)) rows[name] = count;
        return new CardInfo(info.GetValueOrDefault("config_name") as string, classes, rows);
    }
}

/// <summary>A configuration of a card.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Splits">Its splits with the patterns of their files; null where the files are to be found by their names.</param>
/// <param name="Folder">From where the files are looked for, below the data set's folder.</param>
/// <param name="IsDefault">Whether it says that it is the one to take.</param>
/// <param name="Delimiter">What separates the cells of its CSV files, or null.</param>
/// <param name="ColumnNames">The columns of CSV files without a header, or null.</param>
internal sealed record CardConfig(
    string Name, IReadOnlyList<CardSplit>? Splits, string Folder, bool IsDefault, string? Delimiter, IReadOnlyList<string>? ColumnNames);

/// <summary>A split of a configuration and the patterns of its files.</summary>
internal sealed record CardSplit(string Name, IReadOnlyList<string> Patterns);

/// <summary>What a card says of a configuration's rows.</summary>
/// <param name="Config">The configuration; null where there is only one.</param>
/// <param name="Classes">Columns of class labels, or of lists of them, with the names of the classes.</param>
/// <param name="Rows">Numbers of rows by split.</param>
internal sealed record CardInfo(string? Config, IReadOnlyDictionary<string, FeatureType> Classes, IReadOnlyDictionary<string, long> Rows);
