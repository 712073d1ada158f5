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
        var found = FindIn(folder);
        var data = Path.Combine(folder, "data");
        if (found.Count == 0 && Directory.Exists(data)) found = FindIn(data);
        if (found.Count == 0)
        {
            throw new AttuneException($"{folder} has no data file: none is named train, validation (valid, val, dev, eval) or test and ends in " +
                $"{DatasetFile.KnownExtensions}; rename the files or give them one by one.");
        }
        return found;
    }

    /// <summary>Whether a folder (or its subfolder "data") holds files of a split.</summary>
    internal static bool Holds(string folder) => new[] { folder, Path.Combine(folder, "data") }.Any(place =>
        Directory.Exists(place) && Directory.EnumerateFiles(place).Any(IsOfSplit));

    /// <summary>Whether a file belongs to a split, by its name.</summary>
    internal static bool IsOfSplit(string file) => DatasetFile.IsKnown(file) && Parse(file) is not null;

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
