using System.Text.RegularExpressions;

namespace Attune.Tests.Architecture;

/// <summary>The table in docs/architecture.md holds: a folder uses only the folders named beside it.</summary>
public sealed partial class FolderTests
{
    private static readonly string Root = Golden.Root;

    [Fact]
    public void EveryFolder_UsesOnlyWhatTheTableAllows()
    {
        var table = Table();
        var folders = table.Keys.Select(Path.GetFileName).ToHashSet();
        List<string> broken = [];
        foreach (var (folder, allowed) in table)
        {
            var path = Path.Combine(Root, "src", folder);
            Assert.True(Directory.Exists(path), $"docs/architecture.md names {folder}, which does not exist");
            var own = Path.GetFileName(folder);
            foreach (var file in Directory.EnumerateFiles(path, "*.cs", SearchOption.AllDirectories))
                broken.AddRange(UsedFolders(file).Where(used => used != own && folders.Contains(used) && !allowed.Contains(used))
                    .Select(used => $"{Path.GetRelativePath(Root, file)} uses {used}"));
        }
        Assert.True(broken.Count == 0, string.Join(Environment.NewLine, broken));
    }

    [Fact]
    public void EveryFolder_StandsInTheTable()
    {
        var named = Table().Keys.ToHashSet();
        var missing = new[] { "Attune.Text", "Attune" }
            .SelectMany(project => Directory.EnumerateDirectories(Path.Combine(Root, "src", project)).Select(folder => $"{project}/{Path.GetFileName(folder)}"))
            .Where(folder => Directory.EnumerateFiles(Path.Combine(Root, "src", folder), "*.cs").Any() && !named.Contains(folder));
        Assert.Empty(missing);
    }

    private static Dictionary<string, string[]> Table() => File.ReadLines(Path.Combine(Root, "docs", "architecture.md"))
        .Select(line => line.Split('|', StringSplitOptions.TrimEntries))
        .Where(cells => cells.Length == 5 && cells[1].StartsWith("Attune", StringComparison.Ordinal))
        .ToDictionary(cells => cells[1], cells => cells[3].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));

    private static IEnumerable<string> UsedFolders(string file) =>
        File.ReadLines(file).Select(line => Using().Match(line)).Where(match => match.Success).Select(match => match.Groups[1].Value);

    [GeneratedRegex(@"^using (?:static )?Attune\.(\w+)")]
    private static partial Regex Using();
}
