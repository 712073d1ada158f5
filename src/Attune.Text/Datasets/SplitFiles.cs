namespace Attune.Datasets;

/// <summary>Which files belong to which split, where nothing but their names says so.</summary>
/// <remarks>
/// The first rule that finds files counts: (1) files named after splits, or parts of any split (random-00000-of-00002.csv), in the folder or in
/// its subfolder "data"; (2) subfolders of numbered Parquet files (train/0000.parquet), as the hub converts data sets; (3) folders with a
/// split's word in their name; (4) files with one; (5) all files, as training rows. The rules (3) to (5) are those of Hugging Face's datasets.
/// </remarks>
internal static class SplitFiles
{
    /// <summary>The splits in their order.</summary>
    internal static readonly string[] Names = [DatasetDict.Train, DatasetDict.Validation, DatasetDict.Test];

    /// <summary>The beginning of the name of a folder that holds only the first part of a split's rows.</summary>
    internal const string Partial = "partial-";

    private static readonly string[] Places = ["", "data/"];

    /// <summary>The files of each split; several are shards, in order.</summary>
    /// <param name="folder">Where they are, for messages.</param>
    /// <param name="all">Paths from there, in ordinal order.</param>
    /// <exception cref="AttuneException">There is no data among them, or a split is there twice or not whole.</exception>
    internal static IReadOnlyDictionary<string, IReadOnlyList<string>> Find(string folder, IReadOnlyList<string> all)
    {
        string[] files = [.. all.Where(RepositoryFiles.IsData)];
        var named = NamedFiles(files);
        if (named.Count > 0) return named.ToDictionary(split => split.Key, split => Shards.InOrder(split.Key, folder, [.. split]));
        if (files.Any(IsNumbered)) return Grouped(files.Where(IsNumbered), file => OfConverted(file.Split('/')[0]));
        if (files.Any(file => OfFolders(file) is not null)) return Grouped(files, OfFolders);
        if (files.Any(file => OfName(file) is not null)) return Grouped(files, OfName);
        if (files.Length > 0) return Grouped(OfMostUsualKind(files), _ => DatasetDict.Train);
        throw new AttuneException($"{folder} has no data file: none ends in {DatasetFile.KnownExtensions}; convert the files or give another folder.");
    }

    /// <summary>Whether these are the files of one data set and not of several in subfolders: in the folder or in "data" are files or folders of splits.</summary>
    internal static bool Holds(IReadOnlyList<string> all)
    {
        var files = all.Where(RepositoryFiles.IsData).ToList();
        return NamedFiles(files).Count > 0 || files.Exists(IsNumbered) || files.Exists(file => Places.Any(place => file.StartsWith(place, StringComparison.Ordinal) &&
            file[place.Length..].Split('/') is var parts && (parts.Length > 1 ? OfWord(parts[0]) : OfName(parts[0])) is not null));
    }

    /// <summary>By rule (1), of the first place that has any.</summary>
    private static List<IGrouping<string, string>> NamedFiles(IReadOnlyList<string> files) =>
        Places.Select(place => files.Where(file => file.StartsWith(place, StringComparison.Ordinal) && file.LastIndexOf('/') < place.Length)
                .Where(file => OfPlainName(file) is not null).GroupBy(file => OfPlainName(file)!).ToList())
            .FirstOrDefault(splits => splits.Count > 0) ?? [];

    private static string? OfPlainName(string file)
    {
        var (name, part, _) = Shards.Parse(file);
        return SplitNames.Exact(name) ?? (part is not null && SplitNames.IsPossible(name) ? name : null);
    }

    /// <summary>The split of a folder of the hub's conversions: train, partial-train, train-part2.</summary>
    private static string OfConverted(string folder)
    {
        if (folder.StartsWith(Partial, StringComparison.Ordinal)) folder = folder[Partial.Length..];
        var part = folder.LastIndexOf("-part", StringComparison.Ordinal);
        return part > 0 && folder[(part + "-part".Length)..].All(char.IsAsciiDigit) ? folder[..part] : folder;
    }

    private static bool IsNumbered(string file) =>
        file.Split('/') is [_, [_, _, _, _, '.', ..] name] && name[..4].All(char.IsAsciiDigit) && name[4..] == ".parquet";

    private static string? OfFolders(string file) => file.Split('/').SkipLast(1).Select(OfWord).LastOrDefault(split => split is not null);

    private static string? OfWord(string folder) => SplitNames.Exact(folder) ?? SplitNames.Within(folder);

    private static string? OfName(string file)
    {
        var name = Path.GetFileName(file);
        return SplitNames.Exact(Shards.Parse(name).Name) ?? SplitNames.Within(name);
    }

    /// <summary>
    /// Of files of several kinds those of the kind there are most of, and JSON last where there are as many: a list of labels beside the rows is no rows.
    /// </summary>
    private static IEnumerable<string> OfMostUsualKind(IEnumerable<string> files) =>
        files.GroupBy(Path.GetExtension, StringComparer.OrdinalIgnoreCase)
            .MaxBy(kind => (kind.Count(), !".json".Equals(kind.Key, StringComparison.OrdinalIgnoreCase)))!;

    private static Dictionary<string, IReadOnlyList<string>> Grouped(IEnumerable<string> files, Func<string, string?> splitOf) =>
        files.Where(file => splitOf(file) is not null).GroupBy(file => splitOf(file)!).ToDictionary(split => split.Key, IReadOnlyList<string> (split) => [.. split]);
}
