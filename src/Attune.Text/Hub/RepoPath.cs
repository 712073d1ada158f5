using System.Text;
using Attune.Formats;

namespace Attune.Hub;

/// <summary>Paths of files as a server gives them: it may be hostile, and its names become files here.</summary>
/// <remarks>By the rules of every operating system at once, as a cache may be shared between them.</remarks>
internal static class RepoPath
{
    private const int LongestPart = 255, Longest = 1024;
    private static readonly HashSet<string> Devices = new(StringComparer.OrdinalIgnoreCase)
    {
        "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$",
        "COM0", "COM1", "COM2", "COM3", "COM4", "COM5", "COM6", "COM7", "COM8", "COM9", "COM¹", "COM²", "COM³",
        "LPT0", "LPT1", "LPT2", "LPT3", "LPT4", "LPT5", "LPT6", "LPT7", "LPT8", "LPT9", "LPT¹", "LPT²", "LPT³",
    };

    /// <summary>Whether a path stays in its folder and can be a file everywhere.</summary>
    internal static bool IsSafe(string path) =>
        path.Length is > 0 and <= Longest && path.Split('/').All(IsSafePart);

    /// <summary>The place of a path below a folder.</summary>
    /// <exception cref="AttuneException">It would lie elsewhere, or can be no file.</exception>
    internal static string Below(string folder, string path)
    {
        if (!IsSafe(path)) throw Unsafe(path);
        var root = System.IO.Path.GetFullPath(folder);
        var place = System.IO.Path.GetFullPath(System.IO.Path.Combine([root, .. path.Split('/')]));
        return place.StartsWith(System.IO.Path.EndsInDirectorySeparator(root) ? root : root + System.IO.Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? place : throw Unsafe(path);
    }

    // A backslash separates and a colon names a drive or a stream on Windows, where dots and blanks at the end are dropped as well: ".. " is "..".
    // A lone surrogate has no UTF-8: two such names would be one file.
    private static bool IsSafePart(string part) =>
        part.Length > 0 && Encoding.UTF8.GetByteCount(part) <= LongestPart && part[^1] is not ('.' or ' ')
        && part.EnumerateRunes().All(letter => !Rune.IsControl(letter) && letter.Value is not ('\\' or ':') && letter != Rune.ReplacementChar)
        && !Devices.Contains(part.Split('.')[0].TrimEnd(' '));

    private static AttuneException Unsafe(string path) => new(
        $"The hub names a file {Shown.Of(path)}, which can be no file below the folder of the download; do not use this repository.");
}
