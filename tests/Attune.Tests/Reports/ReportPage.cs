using System.Xml.Linq;
using Attune.Cli;
using Attune.Tests.Cli;
using Attune.Tests.Pages;

namespace Attune.Tests.Reports;

/// <summary>Makes the page of a run by the command, and finds its tables by their captions.</summary>
internal static class ReportPage
{
    internal static XDocument Of(string folder, params string[] words) => Of(folder, out _, words);

    /// <param name="folder">For the file of the page.</param>
    /// <param name="terminal">What was said.</param>
    /// <param name="words">After attune report.</param>
    internal static XDocument Of(string folder, out RecordingTerminal terminal, params string[] words)
    {
        var file = Path.Combine(folder, "page.html");
        terminal = new RecordingTerminal();
        Assert.Equal((ExitCode.Success, ""), (terminal.Run(["report", .. words, "--output-file", file]), string.Concat(terminal.Told.Where(line => line.StartsWith("attune:", StringComparison.Ordinal)))));
        return HtmlPageTests.Parsed(File.ReadAllText(file));
    }

    /// <summary>The lines that say what is left out.</summary>
    internal static IEnumerable<string> Missing(XDocument page) =>
        page.Descendants(HtmlPageTests.Name("p")).Where(line => (string?)line.Attribute("class") == "missing").Select(line => line.Value);

    internal static IEnumerable<string[]> Rows(XDocument page, string caption) =>
        page.Descendants(HtmlPageTests.Name("table")).First(table => table.Element(HtmlPageTests.Name("caption"))!.Value == caption)
            .Descendants(HtmlPageTests.Name("tbody")).Elements().Select(line => line.Elements().Select(cell => cell.Value).ToArray());

    internal static string[] Line(XDocument page, string caption, string first) => Rows(page, caption).First(line => line[0] == first)[1..];
}
