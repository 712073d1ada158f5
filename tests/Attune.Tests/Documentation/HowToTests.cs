using System.Text.RegularExpressions;

namespace Attune.Tests.Documentation;

/// <summary>The C# of docs/how-to.md is that of the examples, which are compiled and run.</summary>
public sealed partial class HowToTests
{
    [Fact]
    public void Tables_EveryFragmentOfCSharp_StandsInTheExample()
    {
        string? program = null;
        var fragments = 0;
        List<string> absent = [];
        foreach (var line in File.ReadLines(Path.Combine(Golden.Root, "docs", "how-to.md")))
        {
            if (Heading().Match(line) is { Success: true } heading) program = Plain(File.ReadAllText(Path.Combine(Golden.Root, heading.Groups[1].Value)));
            else if (!line.StartsWith('|')) program = null;
            else if (program is not null)
                foreach (var fragment in Code().Matches(line.Split(" | ", 2)[^1]).SelectMany(code => code.Groups[1].Value.Split("...")))
                {
                    fragments++;
                    if (!program.Contains(Plain(fragment), StringComparison.Ordinal)) absent.Add(fragment);
                }
        }
        Assert.Empty(absent);
        Assert.True(fragments > 20, "The tables are no longer found.");
    }

    private static string Plain(string code) => Space().Replace(code, "");

    [GeneratedRegex(@"^\| Python \| C# \(`(examples/\w+\.cs)`\) \|$")]
    private static partial Regex Heading();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();
}
