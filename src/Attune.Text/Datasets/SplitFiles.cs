namespace Attune.Datasets;

/// <summary>Which files of a folder belong to which split, by their names.</summary>
internal static class SplitFiles
{
    /// <summary>The splits in their order.</summary>
    internal static readonly string[] Names = [DatasetDict.Train, DatasetDict.Validation, DatasetDict.Test];

    private static readonly Dictionary<string, string> Aliases = new(StringComparer.OrdinalIgnoreCase)
    {
        ["train"] = DatasetDict.Train,
        ["training"] = DatasetDict.Train,
        ["validation"] = DatasetDict.Validation,
        ["valid"] = DatasetDict.Validation,
        ["val"] = DatasetDict.Validation,
        ["dev"] = DatasetDict.Validation,
        ["eval"] = DatasetDict.Validation,
        ["test"] = DatasetDict.Test,
    };

    /// <summary>What the hub puts before the name of a split of which it converted only the first 5 GB.</summary>
    private const string Partial = "partial-";

    /// <summary>The endings of MNLI's two kinds of evaluation data; each is a split of its own.</summary>
    private static readonly string[] Endings = ["_matched", "_mismatched"];

    /// <summary>The files of each split; several are shards, in order.</summary>
    internal static IReadOnlyDictionary<string, IReadOnlyList<string>> Find(string folder)
    {
        if (!Directory.Exists(folder))
        {
            throw new AttuneException(File.Exists(folder)
                ? $"{folder} is a file; give the folder that holds it, or name it as the train, validation or test file."
                : $"{folder}: there is no such folder; check the path.");
        }
        foreach (var find in new[] { FindIn, FindInFolders })
            foreach (var place in Places(folder))
                if (find(place) is { Count: > 0 } found) return found;
        throw new AttuneException($"{folder} has no data file: none is named train, validation (valid, val, dev, eval) or test and ends in " +
            $"{DatasetFile.KnownExtensions}, nor lies in a folder of such a name; rename the files or give them one by one.");
    }

    /// <summary>Whether a folder (or its subfolder "data") holds files of a split, or folders of one.</summary>
    internal static bool Holds(string folder) =>
        Places(folder).Any(place => Directory.EnumerateFiles(place).Any(IsOfSplit) || FindInFolders(place).Count > 0);

    /// <summary>Whether a file belongs to a split, by its name.</summary>
    internal static bool IsOfSplit(string file) => DatasetFile.IsKnown(file) && Parse(file) is not null;

    /// <summary>Whether a file belongs to a split by the folder that it lies in, as train/0000.parquet.</summary>
    internal static bool IsInSplitFolder(string file) =>
        DatasetFile.IsKnown(file) && Path.GetDirectoryName(file) is { Length: > 0 } folder && IsSplitFolder(folder);

    /// <summary>Whether a folder is named as the hub names a split of which it converted only the beginning.</summary>
    internal static bool IsPartial(string folder) => Path.GetFileName(folder).StartsWith(Partial, StringComparison.Ordinal);

    private static IEnumerable<string> Places(string folder) => new[] { folder, Path.Combine(folder, "data") }.Where(Directory.Exists);

    private static bool IsSplitFolder(string folder) => SplitOf(folder) is not null;

    /// <summary>The split that a folder is named after; null where there is none.</summary>
    private static string? SplitOf(string folder)
    {
        var name = Path.GetFileName(folder);
        return Parse((IsPartial(folder) ? name[Partial.Length..] : name) + ".x") is { Shard: null } part ? part.Split : null;
    }

    /// <summary>The files of folders named after the splits; all that lie in one are its shards, in the order of their names.</summary>
    private static Dictionary<string, IReadOnlyList<string>> FindInFolders(string folder)
    {
        var found = new Dictionary<string, IReadOnlyList<string>>();
        foreach (var place in Directory.EnumerateDirectories(folder).Where(IsSplitFolder).Order(StringComparer.Ordinal))
        {
            string[] files = [.. Directory.EnumerateFiles(place).Where(DatasetFile.IsKnown).Order(StringComparer.Ordinal)];
            if (files.Length == 0) continue;
            if (!found.TryAdd(SplitOf(place)!, files))
                throw new AttuneException($"The split {SplitOf(place)} is there more than once in the folders of {folder}; keep one of them.");
        }
        return found;
    }

    private static Dictionary<string, IReadOnlyList<string>> FindIn(string folder)
    {
        var parts = Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal)
            .Where(DatasetFile.IsKnown).Select(Parse).OfType<Part>();
        return parts.GroupBy(part => part.Split).ToDictionary(group => group.Key, group => InOrder(group.Key, [.. group]));
    }

    private sealed record Part(string Split, int? Shard, int? Shards, string File);

    private static Part? Parse(string file)
    {
        var name = Path.GetFileNameWithoutExtension(file);
        int? shard = null, shards = null;
        // train-00000-of-00002
        if (name.Split('-') is [.., var index, "of", var count] && int.TryParse(index, out var i) && int.TryParse(count, out var n))
        {
            (shard, shards) = (i, n);
            name = name[..^(index.Length + count.Length + "--of-".Length)];
        }
        var ending = Array.Find(Endings, name.EndsWith) ?? "";
        return Aliases.TryGetValue(name[..^ending.Length], out var split) ? new Part(split + ending, shard, shards, file) : null;
    }

    private static IReadOnlyList<string> InOrder(string split, List<Part> parts)
    {
        if (parts.Count > 1 && parts.Exists(part => part.Shard is null))
        {
            throw new AttuneException($"The split {split} is there more than once, as {string.Join(" and ", parts.Select(part => part.File))}; " +
                "keep one of them.");
        }
        var expected = parts[0].Shards ?? 1;
        var missing = Enumerable.Range(0, expected).FirstOrDefault(i => expected > 1 && parts.TrueForAll(part => part.Shard != i), -1);
        if (missing >= 0 || parts.Exists(part => (part.Shards ?? 1) != expected) || parts.Count > expected)
        {
            throw new AttuneException($"The split {split} is said to have {expected} parts, but {Path.GetDirectoryName(parts[0].File)} holds " +
                $"{string.Join(", ", parts.Select(part => Path.GetFileName(part.File)))}" +
                $"{(missing >= 0 ? $": part {missing} is missing" : "")}; complete the parts of one set and remove others.");
        }
        return [.. parts.OrderBy(part => part.Shard).Select(part => part.File)];
    }
}
