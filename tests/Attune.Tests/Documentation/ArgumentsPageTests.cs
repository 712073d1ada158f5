using System.Globalization;
using System.Text;
using Attune.Cli;
using Attune.Training;

namespace Attune.Tests.Documentation;

/// <summary>docs/arguments.md is made from the tables of arguments. Run the tests with ATTUNE_WRITE_DOCS=1 to write it anew.</summary>
public sealed class ArgumentsPageTests
{
    private static readonly string Page = Path.Combine(Golden.Root, "docs", "arguments.md");

    [Fact]
    public void Page_EqualsTheTables()
    {
        var made = Make();
        if (Environment.GetEnvironmentVariable("ATTUNE_WRITE_DOCS") == "1") File.WriteAllText(Page, made);
        Assert.True(File.ReadAllText(Page) == made, "docs/arguments.md is stale: run the tests with ATTUNE_WRITE_DOCS=1 and commit it.");
    }

    private static string Make()
    {
        var text = new StringBuilder();
        text.Append("# Arguments\n\nMade from the records of arguments; do not edit. Names may be written `--learning-rate` or `--learning_rate`; switches take\n");
        text.Append("`true`/`false`, `yes`/`no`, `1`/`0` or nothing. `--config FILE.json` takes them by their names with underscores; options win.\n");
        foreach (var verb in CommandLine.Verbs.Where(verb => verb.Groups.Count > 0))
        {
            text.Append(CultureInfo.InvariantCulture, $"\n## attune {verb.Name}\n\n{verb.Summary}\n");
            foreach (var (heading, arguments) in verb.Headings)
                text.Append(CultureInfo.InvariantCulture, $"\n### {heading}\n\n{ArgumentTable.ToMarkdown(arguments)}");
        }
        return text.ToString();
    }
}
