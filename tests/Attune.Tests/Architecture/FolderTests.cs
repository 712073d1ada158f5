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
                broken.AddRange(UsedFolders(file).Distinct().Where(used => used != own && folders.Contains(used) && !allowed.Contains(used))
                    .Select(used => $"{Path.GetRelativePath(Root, file)} uses {used}"));
        }
        Assert.True(broken.Count == 0, string.Join(Environment.NewLine, broken));
    }

    [Fact]
    public void EveryFolder_StandsInTheTable()
    {
        var named = Table().Keys.ToHashSet();
        var missing = new[] { "Attune.Text", "Attune.Onnx", "Attune", "Attune.AspNetCore", "Attune.Cli" }
            .SelectMany(project => Directory.EnumerateDirectories(Path.Combine(Root, "src", project)).Select(folder => $"{project}/{Path.GetFileName(folder)}"))
            .Where(folder => Directory.EnumerateFiles(Path.Combine(Root, "src", folder), "*.cs").Any() && !named.Contains(folder));
        Assert.Empty(missing);
    }

    private static Dictionary<string, string[]> Table() => File.ReadLines(Path.Combine(Root, "docs", "architecture.md"))
        .Select(line => line.Split('|', StringSplitOptions.TrimEntries))
        .Where(cells => cells.Length == 5 && cells[1].StartsWith("Attune", StringComparison.Ordinal))
        .ToDictionary(cells => cells[1], cells => cells[3].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));

    [Theory]
    [InlineData("using Attune.Models;", "Models")]
    [InlineData("using static Attune.Models.BertConfig;", "Models")]
    [InlineData("        var all = Models.BertConfig.Load(file) + Attune.Native.LibTorch.Load();", "Models Native")]
    [InlineData("        model.Training.Foo(); // Native.LibTorch \"Models.BertConfig\"", "")]
    [InlineData("        throw new(\"Native.LibTorch is missing\");", "")]
    public void UsedFolders_Line_AreThoseItNames(string line, string folders) =>
        Assert.Equal(folders.Split(' ', StringSplitOptions.RemoveEmptyEntries), UsedFoldersOfLine(line));

    /// <summary>Folders named by a using line or in front of a type, in the code and not in comments or texts.</summary>
    private static IEnumerable<string> UsedFolders(string file) => File.ReadLines(file).SelectMany(UsedFoldersOfLine);

    private static IEnumerable<string> UsedFoldersOfLine(string line)
    {
        var code = CommentOrText().Replace(line, "");
        return Using().Matches(code).Concat(Qualified().Matches(code)).Select(match => match.Groups[1].Value).Distinct();
    }

    [GeneratedRegex(@"""(?:[^""\\]|\\.)*""|//.*")]
    private static partial Regex CommentOrText();

    [GeneratedRegex(@"^using (?:static )?Attune\.(\w+)")]
    private static partial Regex Using();

    [GeneratedRegex(@"(?<![\w.])(?:Attune\.)?(?!Attune\.)([A-Z]\w+)\.[A-Z]")]
    private static partial Regex Qualified();
}
