using System.Text.RegularExpressions;

namespace Attune.Tests.Documentation;

/// <summary>What the pages point to exists.</summary>
public sealed partial class LinkTests
{
    public static TheoryData<string> Pages()
    {
        var root = Golden.Root;
        return [.. Directory.EnumerateFiles(root, "*.md").Concat(Directory.EnumerateFiles(Path.Combine(root, "docs"), "*.md")).Select(file => Path.GetRelativePath(root, file))];
    }

    [Theory, MemberData(nameof(Pages))]
    public void Links_AndNamedFiles_Exist(string page)
    {
        var root = Golden.Root;
        var text = File.ReadAllText(Path.Combine(root, page));
        var folder = Path.GetDirectoryName(Path.Combine(root, page))!;
        var missing = Link().Matches(text).Select(match => match.Groups[1].Value)
            .Where(target => !target.Contains("://", StringComparison.Ordinal) && !target.StartsWith('#'))
            .Where(target => !Path.Exists(Path.Combine(folder, target.Split('#')[0])))
            .Concat(Named().Matches(text).Select(match => match.Groups[1].Value).Where(name => !Path.Exists(Path.Combine(root, name))));
        Assert.Empty(missing);
    }

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"`((?:src|docs|tests|bench|examples|build|deploy)/[\w./-]+\.\w+)`")]
    private static partial Regex Named();
}
