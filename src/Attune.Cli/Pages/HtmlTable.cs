using System.Text.RegularExpressions;

namespace Attune.Cli.Pages;

/// <summary>A table of a page: a caption, a heading for each column, and the first cell of each line as its heading.</summary>
/// <param name="caption">What is in it.</param>
/// <param name="headings">Of the columns.</param>
internal sealed partial class HtmlTable(string caption, params IReadOnlyList<string> headings)
{
    private readonly List<Markup[]> _lines = [];

    /// <summary>Adds a line; strings are escaped.</summary>
    internal void Add(params Markup[] cells) => _lines.Add(cells);

    /// <summary>Number of lines.</summary>
    internal int Count => _lines.Count;

    /// <summary>The element, which can be moved sideways where the page is narrower than the table.</summary>
    internal Markup ToMarkup()
    {
        bool[] areNumbers = [.. Enumerable.Range(0, headings.Count).Select(column => column > 0 && _lines.Count > 0 && _lines.All(line => Number().IsMatch(line[column].ToString())))];
        var head = Markup.Join(headings.Select((heading, column) => Markup.Element("th", heading, ("scope", "col"), ("class", areNumbers[column] ? "n" : null))));
        var body = _lines.Select(line => Markup.Element("tr", Markup.Join(line.Select((cell, column) =>
            column == 0 ? Markup.Element("th", cell, ("scope", "row")) : Markup.Element("td", cell, ("class", areNumbers[column] ? "n" : null))))) + "\n");
        var table = Markup.Element("table", Markup.Element("caption", caption) + Markup.Element("thead", Markup.Element("tr", head)) + "\n" + Markup.Element("tbody", Markup.Join(body)));
        return Markup.Element("div", table, ("class", "scroll"), ("role", "region"), ("tabindex", "0"), ("aria-label", caption));
    }

    /// <summary>What stands at the right edge of its column: numbers, shares, intervals, dashes and nothing.</summary>
    [GeneratedRegex(@"^(|\u2013|[-+]?[\d.,]+(e-?\d+)?( ?%)?( to [-+]?[\d.,]+( ?%)?)?)$")]
    private static partial Regex Number();
}
