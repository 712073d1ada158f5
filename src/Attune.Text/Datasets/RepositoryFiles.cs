using System.IO.Enumeration;

namespace Attune.Datasets;

/// <summary>The files below a folder that may hold rows.</summary>
internal static class RepositoryFiles
{
    private const int DeepestFolder = 8;

    // What tools put beside the data, of kinds that data has too.
    private static readonly string[] NotData = ["config.json", "dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json"];

    /// <summary>Their paths from the folder, with / between the parts, in ordinal order. Links to folders are not followed, hidden ones not entered.</summary>
    internal static IReadOnlyList<string> Below(string folder)
    {
        var options = new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = DeepestFolder, AttributesToSkip = FileAttributes.Hidden };
        var files = new FileSystemEnumerable<string>(folder, (ref entry) => entry.ToFullPath(), options)
        {
            ShouldIncludePredicate = (ref entry) => !entry.IsDirectory && entry.FileName[0] != '.',
            ShouldRecursePredicate = (ref entry) =>
                entry.FileName[0] != '.' && !entry.FileName.StartsWith("__") && !entry.Attributes.HasFlag(FileAttributes.ReparsePoint),
        };
        return [.. files.Where(IsData).Select(file => Path.GetRelativePath(folder, file).Replace('\\', '/')).Order(StringComparer.Ordinal)];
    }

    /// <summary>Whether a file may hold rows, by its name.</summary>
    internal static bool IsData(string file) => DatasetFile.IsKnown(file) && Path.GetFileName(file) is var name && name[0] != '.' && !NotData.Contains(name);
}
