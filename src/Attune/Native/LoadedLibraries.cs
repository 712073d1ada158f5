namespace Attune.Native;

/// <summary>The native libraries that this process has loaded, as Linux lists them.</summary>
internal static class LoadedLibraries
{
    private const string Maps = "/proc/self/maps";

    /// <summary>The file of a library; null where none of that name is loaded, or the system does not say.</summary>
    /// <param name="start">With which its file's name begins.</param>
    internal static string? PathOf(string start)
    {
        if (!File.Exists(Maps)) return null;
        foreach (var line in File.ReadLines(Maps))
            if (line.IndexOf('/', StringComparison.Ordinal) is > 0 and var at && Path.GetFileName(line.AsSpan(at)).StartsWith(start, StringComparison.Ordinal)) return line[at..];
        return null;
    }
}
