using System.IO.Compression;
using System.Text.Json;

namespace Attune.Tests;

/// <summary>Where the reference files of other programs and the data sets lie, and how to open them.</summary>
internal static class Golden
{
    /// <summary>The folder of the repository.</summary>
    internal static readonly string Root = FindRoot();

    /// <summary>
    /// The folder of that name in ATTUNE_GOLDEN where that is set, else in tests/golden, else in ../shared/golden; null where there is none.
    /// </summary>
    internal static string? Folder(string name) => Environment.GetEnvironmentVariable("ATTUNE_GOLDEN") is { Length: > 0 } chosen
        ? Existing(chosen, name)
        : Existing(Root, "tests", "golden", name) ?? Existing(Root, "..", "shared", "golden", name);

    /// <summary>A folder of the project's own golden data, whatever ATTUNE_GOLDEN says.</summary>
    internal static string Own(string name) => Path.Combine(Root, "tests", "golden", name);

    /// <summary>The file or folder of that name in ATTUNE_DATA where that is set, else in ../shared/data; null where there is none.</summary>
    internal static string? Data(string name) => Environment.GetEnvironmentVariable("ATTUNE_DATA") is { Length: > 0 } chosen
        ? Existing(chosen, name)
        : Existing(Root, "..", "shared", "data", name);

    /// <summary>The folder of that name, or the test is skipped with the reason.</summary>
    internal static string Require(string name)
    {
        var folder = Folder(name);
        Assert.False(folder is null && Environment.GetEnvironmentVariable("ATTUNE_GOLDEN") is { Length: > 0 }, $"ATTUNE_GOLDEN has no folder {name}.");
        Assert.SkipWhen(folder is null, $"There is no golden folder {name} (ATTUNE_GOLDEN, tests/golden, ../shared/golden).");
        return folder!;
    }

    /// <summary>Opens a file, or its compressed twin with .gz behind the name.</summary>
    internal static Stream Open(string folder, string file)
    {
        var path = Path.Combine(folder, file);
        if (!path.EndsWith(".gz", StringComparison.Ordinal) && File.Exists(path)) return File.OpenRead(path);
        if (!path.EndsWith(".gz", StringComparison.Ordinal)) path += ".gz";
        return new GZipStream(File.OpenRead(path), CompressionMode.Decompress);
    }

    /// <summary>Reads a JSON file, compressed or not. The element outlives the document that it came from.</summary>
    internal static JsonElement Json(string folder, string file)
    {
        using var stream = Open(folder, file);
        using var document = JsonDocument.Parse(stream);
        return document.RootElement.Clone();
    }

    /// <summary>Names without .gz of a folder's files that end in <paramref name="ending"/>, in ordinal order.</summary>
    internal static IReadOnlyList<string> Files(string folder, string ending) =>
        [.. Directory.EnumerateFiles(folder)
            .Select(path => Path.GetFileName(path)!)
            .Select(name => name.EndsWith(".gz", StringComparison.Ordinal) ? name[..^3] : name)
            .Where(name => name.EndsWith(ending, StringComparison.Ordinal))
            .Distinct().Order(StringComparer.Ordinal)];

    private static string? Existing(params string[] parts)
    {
        var path = Path.GetFullPath(Path.Combine(parts));
        return Path.Exists(path) ? path : null;
    }

    private static string FindRoot()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
            if (File.Exists(Path.Combine(folder, "Attune.slnx"))) return folder;
        throw new InvalidOperationException($"No Attune.slnx above {AppContext.BaseDirectory}.");
    }
}
