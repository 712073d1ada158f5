namespace Attune.Datasets;

/// <summary>Paths that a data set's card writes: it comes from anywhere, and may name only what lies in its own folder.</summary>
internal static class RepositoryPath
{
    /// <summary>Whether a path or pattern stays below the folder, by the rules of every operating system, and is no address.</summary>
    internal static bool IsInside(string path) =>
        !path.Contains(':', StringComparison.Ordinal) && !path.Contains('\0', StringComparison.Ordinal) && !path.StartsWith('/') && !path.StartsWith('\\') &&
        !path.Split('/', '\\').Contains("..");

    /// <summary>The path without what says nothing: a dot for the folder itself, a slash at the end.</summary>
    internal static string Plain(string path) => string.Join('/', path.Split('/').Where(part => part is not ("" or ".")));
}
