namespace Attune.Datasets;

/// <summary>Which files of a folder belong to which split, where nothing but their names says so.</summary>
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

    private const string DataFolder = "data";

    /// <summary>The files of each split; several are shards, in order.</summary>
    /// <exception cref="AttuneException">The folder is absent or holds no data, or a split is there twice or not whole.</exception>
    internal static IReadOnlyDictionary<string, IReadOnlyList<string>> Find(string folder)
    {
        if (!Directory.Exists(folder))
        {
            throw new AttuneException(File.Exists(folder)
                ? $"{folder} is a file; give the folder that holds it, or name it as the train, validation or test file."
                : $"{folder}: there is no such folder; check the path.");
        }
        var found = FindPlain(folder);
        if (found.Count > 0) return found;
        var files = RepositoryFiles.Below(folder);
        string[] inFolders = [.. files.Where(file => OfFolders(file) is not null)], inNames = [.. files.Where(file => OfName(file) is not null)];
        if (inFolders.Length > 0) return Grouped(folder, inFolders, OfFolders);
        if (inNames.Length > 0) return Grouped(folder, inNames, OfName);
        if (files.Count > 0) return Grouped(folder, OfMostUsualKind(files), _ => DatasetDict.Train);
        throw new AttuneException($"{folder} has no data file: none ends in {DatasetFile.KnownExtensions}; convert the files or give another folder.");
    }

    /// <summary>Whether a folder is a data set of its own and not one that holds several: it (or its subfolder "data") has files or folders of splits.</summary>
    internal static bool Holds(string folder) => Directory.Exists(folder) && (FindPlain(folder).Count > 0 || Places(folder).Any(place =>
        Directory.EnumerateDirectories(place).Any(inner => SplitNames.Within(Path.GetFileName(inner)) is not null && RepositoryFiles.Below(inner).Count > 0) ||
        Directory.EnumerateFiles(place).Any(file => RepositoryFiles.IsData(file) && OfName(file) is not null)));

    /// <summary>By the rules (1) and (2).</summary>
    private static Dictionary<string, IReadOnlyList<string>> FindPlain(string folder)
    {
        foreach (var place in Places(folder))
        {
            var files = Directory.EnumerateFiles(place).Where(RepositoryFiles.IsData).Order(StringComparer.Ordinal)
                .Select(file => (File: file, Split: OfPlainName(file))).Where(file => file.Split is not null).ToList();
            if (files.Count > 0)
                return files.GroupBy(file => file.Split!).ToDictionary(split => split.Key, split => Shards.InOrder(split.Key, [.. split.Select(file => file.File)]));
        }
        var numbered = Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal).SelectMany(inner => Directory.EnumerateFiles(inner)
            .Where(IsNumbered).Order(StringComparer.Ordinal).Select(file => (Split: OfConverted(Path.GetFileName(inner)), File: file)));
        return numbered.GroupBy(file => file.Split).ToDictionary(split => split.Key, IReadOnlyList<string> (split) => [.. split.Select(file => file.File)]);
    }

    private static IEnumerable<string> Places(string folder) => new[] { folder, Path.Combine(folder, DataFolder) }.Where(Directory.Exists);

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
        Path.GetFileName(file) is [_, _, _, _, '.', ..] name && name[..4].All(char.IsAsciiDigit) && name[4..] == ".parquet";

    private static string? OfFolders(string file) =>
        file.Split('/').SkipLast(1).Select(part => SplitNames.Exact(part) ?? SplitNames.Within(part)).LastOrDefault(split => split is not null);

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

    private static Dictionary<string, IReadOnlyList<string>> Grouped(string folder, IEnumerable<string> files, Func<string, string?> splitOf) =>
        files.GroupBy(splitOf).ToDictionary(split => split.Key!, IReadOnlyList<string> (split) => [.. split.Select(file => Path.Combine(folder, file))]);
}
