using System.Xml.Linq;
using Attune.Cli.Pages;

namespace Attune.Tests.Pages;

public sealed class HtmlPageTests
{
    private const string Hostile = "</td><script>alert('x')</script><img src=x onerror=\"alert(1)\"> & \u0000 \uD800";

    [Fact]
    public void Page_HostileData_IsShownAndNotRead()
    {
        var page = Page().ToString();
        Assert.DoesNotContain("<script", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("<img", page, StringComparison.OrdinalIgnoreCase);
        var read = Parsed(page);
        Assert.Contains(read.Descendants(Name("td")), cell => cell.Value.Contains("<script>alert('x')</script>", StringComparison.Ordinal));
        Assert.Contains("<script>", read.Descendants(Name("title")).First().Value, StringComparison.Ordinal);
    }

    [Fact]
    public void Page_Whole_NeedsNoOtherFile()
    {
        var page = Parsed(Page().ToString());
        var wanted = page.Descendants().Attributes().Where(attribute => attribute.Name.LocalName is "src" or "href" or "srcset" or "data" or "action" or "poster").Select(attribute => attribute.Value);
        Assert.All(wanted, value => Assert.StartsWith("#", value, StringComparison.Ordinal));
        Assert.DoesNotContain("url(", page.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("@import", page.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(page.Descendants(), element => element.Name.LocalName is "script" or "link" or "iframe" or "object");
    }

    [Fact]
    public void Page_Whole_CanBeReadAloud()
    {
        var page = Parsed(Page().ToString());
        Assert.Single(page.Descendants(Name("h1")));
        Assert.All(page.Descendants(Name("table")), table =>
        {
            Assert.NotEmpty(table.Element(Name("caption"))!.Value);
            Assert.All(table.Descendants(Name("th")), heading => Assert.True((string?)heading.Attribute("scope") is "col" or "row"));
        });
        Assert.All(page.Descendants().Where(element => element.Name.LocalName == "svg"), chart => Assert.NotEmpty((string)chart.Attribute("aria-label")!));
        var ids = page.Descendants().Attributes("id").Select(id => id.Value).ToList();
        Assert.Equal(ids.Count, ids.Distinct().Count());
        Assert.All(page.Descendants(Name("a")), link => Assert.Contains(((string)link.Attribute("href")!)[1..], ids));
    }

    [Fact]
    public void Table_ColumnsOfNumbers_StandAtTheRight()
    {
        var table = new HtmlTable("t", "label", "rows", "recall", "interval", "note");
        table.Add("a", "1,000", "90.5 %", "0.8000 to 0.9000", "x");
        table.Add("b", "", "\u2013", "", "12");
        var cells = XElement.Parse(table.ToMarkup().ToString()).Descendants("td").Take(4).Select(cell => (string?)cell.Attribute("class"));
        Assert.Equal(["n", "n", "n", null], cells);
    }

    /// <summary>HTML that is XML as well.</summary>
    internal static XDocument Parsed(string page) => XDocument.Parse(page);

    internal static XName Name(string name) => XName.Get(name, "http://www.w3.org/1999/xhtml");

    private static HtmlPage Page()
    {
        var page = new HtmlPage("A page " + Hostile);
        page.Section("First " + Hostile);
        page.Text(Hostile);
        page.Missing(Hostile);
        var table = new HtmlTable(Hostile, "label", Hostile);
        table.Add(Hostile, Hostile);
        table.Add("plain", Markup.Element("mark", Hostile, ("title", Hostile)));
        page.Add(table);
        page.Section("Charts");
        page.Heading("All of them");
        foreach (var plot in PlotTests.Plots()) page.Add(plot);
        page.AddFolded("More", table);
        return page;
    }
}
