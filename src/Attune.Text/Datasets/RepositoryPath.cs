namespace Attune.Datasets;

/// <summary>Paths that a data set's card writes: it comes from anywhere, and may name only what lies in its own folder.</summary>
internal static class RepositoryPath
{
    /// <summary>Whether a path or pattern stays below the folder, by the rules of every operating system, and is no address.</summary>
    internal static bool IsInside(string path) =>
        !path.Contains(':', StringComparison.Ordinal) && !path.Contains('\0', StringComparison.Ordinal) && !path.StartsWith('/') && !path.StartsWith('\\') &&
        !path.Split('/', '\\').Contains("..");
}
