using System.IO.Enumeration;

namespace Attune.Datasets;

/// <summary>The files of a data set's folder, by their paths from there with / between the parts.</summary>
internal static class RepositoryFiles
{
    private const int DeepestFolder = 8;

    // What tools put beside the data, of kinds that data has too.
    private static readonly string[] NotData = ["config.json", "dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json"];

    /// <summary>All files of a folder in ordinal order. Links to folders are not followed.</summary>
    internal static IReadOnlyList<string> Below(string folder)
    {
        var options = new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = DeepestFolder, AttributesToSkip = FileAttributes.Hidden };
        var files = new FileSystemEnumerable<string>(folder, (ref entry) => entry.ToFullPath(), options)
        {
            ShouldIncludePredicate = (ref entry) => !entry.IsDirectory,
            ShouldRecursePredicate = (ref entry) => IsEntered(entry.FileName) && !entry.Attributes.HasFlag(FileAttributes.ReparsePoint),
        };
        return Seen(files.Select(file => Path.GetRelativePath(folder, file).Replace('\\', '/')));
    }

    /// <summary>Those of the files that are looked at, in ordinal order: none that is hidden or in a folder that is.</summary>
    internal static IReadOnlyList<string> Seen(IEnumerable<string> files) =>
        [.. files.Where(file => file.Split('/') is [.. var folders, var name] && name[0] != '.' && Array.TrueForAll(folders, folder => IsEntered(folder))).Order(StringComparer.Ordinal)];

    /// <summary>Whether a file may hold rows, by its name.</summary>
    internal static bool IsData(string file) => DatasetFile.IsKnown(file) && !NotData.Contains(Path.GetFileName(file));

    /// <summary>The files below a folder, by their paths from there.</summary>
    internal static IReadOnlyList<string> Below(IReadOnlyList<string> files, string folder) =>
        [.. files.Where(file => file.StartsWith(folder + "/", StringComparison.Ordinal)).Select(file => file[(folder.Length + 1)..])];

    private static bool IsEntered(ReadOnlySpan<char> folder) => folder[0] != '.' && !folder.StartsWith("__");
}
