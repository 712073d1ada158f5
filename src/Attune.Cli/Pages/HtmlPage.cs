using System.Globalization;
using System.Reflection;
using System.Text;

namespace Attune.Cli.Pages;

/// <summary>A page in one file that needs nothing else: no script, no network, no other file. Light or dark as the reader's screen asks, and fit to print.</summary>
/// <param name="title">Of the page.</param>
internal sealed class HtmlPage(string title)
{
    private readonly StringBuilder _body = new();
    private readonly List<(string Id, string Heading)> _sections = [];

    /// <summary>Begins a section, which the list at the head of the page leads to.</summary>
    internal void Section(string heading)
    {
        if (_sections.Count > 0) _body.Append("</section>\n");
        var id = "s" + (_sections.Count + 1).ToString(CultureInfo.InvariantCulture);
        _sections.Add((id, heading));
        _body.Append(CultureInfo.InvariantCulture, $"<section aria-labelledby=\"{id}\">\n").Append(Markup.Element("h2", heading, ("id", id))).Append('\n');
    }

    /// <summary>A heading within a section.</summary>
    internal void Heading(string heading) => Add(Markup.Element("h3", heading));

    /// <summary>A paragraph.</summary>
    internal void Text(Markup text) => Add(Markup.Element("p", text));

    /// <summary>Says what is left out, and how to get it.</summary>
    internal void Missing(string text) => Add(Markup.Element("p", text, ("class", "missing")));

    /// <summary>A table.</summary>
    internal void Add(HtmlTable table) => Add(table.ToMarkup());

    /// <summary>A table that is opened by whoever wants it.</summary>
    internal void AddFolded(string summary, HtmlTable table) =>
        Add(Markup.Element("details", Markup.Element("summary", summary) + table.ToMarkup()));

    /// <summary>A chart, with what it says below it and its numbers folded away.</summary>
    internal void Add(Plot plot)
    {
        var figure = Markup.OfDrawing(plot.Draw(), plot.Title, plot.Description);
        if (plot.Description.Length > 0) figure += Markup.Element("figcaption", plot.Description);
        if (plot.Numbers() is { } numbers) figure += Markup.Element("details", Markup.Element("summary", "Numbers") + numbers.ToMarkup());
        Add(Markup.Element("figure", figure));
    }

    /// <summary>Anything else.</summary>
    internal void Add(Markup element) => _body.Append(element).Append('\n');

    /// <summary>The file.</summary>
    public override string ToString()
    {
        var page = new StringBuilder("<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n<meta charset=\"utf-8\"/>\n")
            .Append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n")
            // Nothing is fetched or run, whatever a text that is shown says.
            .Append("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n")
            .Append(Markup.Element("title", title)).Append("\n<style>\n").Append(Palette.Css).Append(Palette.DrawingCss).Append(Style).Append("</style>\n</head>\n<body>\n<header>\n")
            .Append(Markup.Element("h1", title)).Append('\n');
        if (_sections.Count > 1)
            page.Append(Markup.Element("nav", Markup.Element("ul", Markup.Join(_sections.Select(section =>
                Markup.Element("li", Markup.Element("a", section.Heading, ("href", "#" + section.Id)))))), ("aria-label", "Sections"))).Append('\n');
        page.Append("</header>\n<main>\n").Append(_body);
        if (_sections.Count > 0) page.Append("</section>\n");
        return page.Append("</main>\n</body>\n</html>\n").ToString();
    }

    private static string Style
    {
        get
        {
            using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("page.css")!;
            using var reader = new StreamReader(stream);
            return reader.ReadToEnd();
        }
    }
}
