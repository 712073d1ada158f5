using System.Globalization;

namespace Attune.Datasets;

/// <summary>Files that are parts of one split, named train-00000-of-00002 and so on.</summary>
internal static class Shards
{
    /// <summary>Takes the number of a part and of all parts off a file's name.</summary>
    /// <param name="file">Name or path of the file.</param>
    /// <returns>The name without numbers and ending; the numbers, null where there are none.</returns>
    internal static (string Name, int? Part, int? Parts) Parse(string file)
    {
        var name = Path.GetFileNameWithoutExtension(file);
        if (name.Split('-') is [_, .., var index, "of", var count] && Number(index) is { } part && Number(count) is { } parts)
            return (name[..^(index.Length + count.Length + "--of-".Length)], part, parts);
        return (name, null, null);
    }

    /// <summary>Puts the files of a split in order and sees to it that none is missing or there twice.</summary>
    /// <param name="split">The split's name.</param>
    /// <param name="folder">Where the files are, for messages.</param>
    /// <param name="files">Paths from there.</param>
    /// <exception cref="AttuneException">One is, or they are no parts of one set.</exception>
    internal static IReadOnlyList<string> InOrder(string split, string folder, IReadOnlyList<string> files)
    {
        var parts = files.Select(file => (File: file, Shard: Parse(file))).ToList();
        if (parts.Count > 1 && parts.Exists(part => part.Shard.Part is null))
            throw new AttuneException($"The split {split} is there more than once, as {string.Join(" and ", files.Select(file => Path.Combine(folder, file)))}; keep one of them.");
        var expected = parts[0].Shard.Parts ?? 1;
        var missing = Enumerable.Range(0, expected).FirstOrDefault(i => expected > 1 && parts.TrueForAll(part => part.Shard.Part != i), -1);
        if (missing >= 0 || parts.Exists(part => (part.Shard.Parts ?? 1) != expected) || parts.Count > expected)
        {
            throw new AttuneException($"The split {split} is said to have {expected} parts, but {Path.GetDirectoryName(Path.Combine(folder, files[0]))} holds " +
                $"{string.Join(", ", files.Take(8).Select(Path.GetFileName))}{(files.Count > 8 ? " and others" : "")}" +
                $"{(missing >= 0 ? $": part {missing} is missing" : "")}; complete the parts of one set and remove others.");
        }
        return [.. parts.OrderBy(part => part.Shard.Part).Select(part => part.File)];
    }

    private static int? Number(string digits) =>
        int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
