using System.Globalization;
using System.Xml.Linq;
using Attune.Cli.Pages;
using SkiaSharp;

namespace Attune.Tests.Pages;

public sealed class PlotTests
{
    private const string Hostile = "<script>alert('x')</script> & \"quoted\" \u202E\u0007";

    [Fact]
    public void Svg_EveryKindOfPlot_IsWellFormedWithinItsEdgesAndSafe()
    {
        foreach (var plot in Plots())
        {
            var svg = XDocument.Parse(plot.ToSvg()).Root!;
            Assert.Equal("img", (string?)svg.Attribute("role"));
            Assert.Contains(plot.Title[..4], (string)svg.Attribute("aria-label")!, StringComparison.Ordinal);
            Assert.DoesNotContain("<script", plot.ToSvg(), StringComparison.Ordinal);
            Assert.DoesNotContain("NaN", plot.ToSvg(), StringComparison.Ordinal);
            Assert.DoesNotContain("\u221E", plot.ToSvg(), StringComparison.Ordinal);
            var (width, height) = ((double)svg.Attribute("width")!, (double)svg.Attribute("height")!);
            foreach (var text in svg.Descendants().Where(element => element.Name.LocalName == "text"))
            {
                Assert.InRange((double)text.Attribute("x")!, 0, width);
                Assert.InRange((double)text.Attribute("y")!, 0, height);
            }
            foreach (var box in svg.Descendants().Where(element => element.Name.LocalName == "rect" && element.Attribute("x") is not null))
            {
                Assert.InRange((double)box.Attribute("x")! + (double)box.Attribute("width")!, 0, width);
                Assert.InRange((double)box.Attribute("y")! + (double)box.Attribute("height")!, 0, height);
            }
        }
    }

    [Fact]
    public void Png_EveryKindOfPlot_HasWordsWithoutAFontOfTheSystem()
    {
        foreach (var plot in Plots())
        {
            using var picture = SKBitmap.Decode(plot.ToPng());
            Assert.Equal((int)Math.Ceiling(plot.Draw().Width * PngWriter.Scale), picture.Width);
            // The title stands in the first lines of pixels and nothing else does.
            var dark = Enumerable.Range(0, 44).Sum(y => Enumerable.Range(0, picture.Width).Count(x => picture.GetPixel(x, y).Red < 128));
            Assert.InRange(dark, 100, 20_000);
        }
    }

    [Theory]
    [InlineData(0, 1, "0 0.2 0.4 0.6 0.8 1")]
    [InlineData(0.981, 0.994, "0.98 0.985 0.99 0.995")]
    [InlineData(0, 2e-5, "0 5e-6 1e-5 1.5e-5 2e-5")]
    [InlineData(0, 67_349, "0 20,000 40,000 60,000 80,000")]
    [InlineData(-3, 4, "-4 -2 0 2 4")]
    [InlineData(7, 7, "6 6.5 7 7.5 8")]
    [InlineData(double.NaN, double.PositiveInfinity, "0 0.2 0.4 0.6 0.8 1")]
    public void Axis_Numbers_TicksAreRound(double low, double high, string ticks) =>
        Assert.Equal(ticks, string.Join(' ', Axis.Of([low, high]).Ticks.Select(tick => tick.Text)));

    [Fact]
    public void Histogram_WholeNumbers_EachIsCountedOnce()
    {
        var plot = HistogramPlot.Of("lengths", "tokens", "rows", [("", [1, 1, 2, 5, 5, 5])], isWhole: true);
        Assert.Equal(6, plot.Counted[0].Heights.Sum());
        Assert.Equal(3, plot.Counted[0].Heights[plot.Edges.Index().First(edge => edge.Item == 5).Index]);
    }

    [Fact]
    public void LinePlot_ManyPoints_AreThinnedToLowestAndHighest()
    {
        var points = Enumerable.Range(0, 100_000).Select(i => new PlotPoint(i, i == 50_000 ? 7 : Math.Sin(i))).ToList();
        var plot = new LinePlot("many", "x", "y", [new Series("", points)]);
        Assert.InRange(plot.ToSvg().Length, 1000, 30_000);
        var heights = ((string)XDocument.Parse(plot.ToSvg()).Descendants().Single(element => element.Name.LocalName == "polyline").Attribute("points")!)
            .Split(' ').Select(point => double.Parse(point.Split(',')[1], CultureInfo.InvariantCulture)).ToList();
        Assert.True(heights.Min() < 80, "the one high point is drawn");
        Assert.Null(plot.Numbers());
    }

    internal static IEnumerable<Plot> Plots()
    {
        string[] names = ["negative", Hostile, "a name that is much too long to be shown whole beside a row of a chart " + new string('x', 300), "\uD800 日本語"];
        yield return new LinePlot("lines " + Hostile, "update", "loss", [.. names.Select(name => new Series(name, [new(0, 1), new(1, double.NaN), new(2, 0.5, 0.4, 0.7, name)]) { HasMarks = true })])
        {
            Description = Hostile,
            HasDiagonal = true,
        };
        yield return new LinePlot("nothing", "x", "y", [new Series("", [])]);
        yield return new BarPlot("bars", "rows", [.. names.Index().Select(name => (name.Item, (double)name.Index))]);
        yield return new BarPlot("no bars", "rows", []);
        yield return new IntervalPlot("intervals", "recall", [.. names.Index().Select(name => (name.Item, name.Index / 3.0, Math.Max(0, name.Index / 3.0 - 0.1), Math.Min(1, name.Index / 3.0 + 0.1))), ("none", double.NaN, double.NaN, double.NaN)])
        {
            Range = (0, 1),
        };
        yield return HistogramPlot.Of("histogram", "tokens", "rows", [("train", [1, 2, 3, 3, 90]), (Hostile, [5, 6])]) with { Limit = (64, "max_length") };
        yield return new HeatMapPlot("few classes", "label", "prediction", names, names, new long[,] { { 90, 3, 0, 1 }, { 10, 800, 0, 0 }, { 0, 0, 0, 0 }, { 1, 1, 1, 12_345 } });
        string[] many = [.. Enumerable.Range(0, 77).Select(i => "class_number_" + i)];
        var counts = new long[77, 77];
        for (var i = 0; i < 77; i++) (counts[i, i], counts[i, (i * 7 + 3) % 77]) = (40, i % 9);
        yield return new HeatMapPlot("many classes", "label", "prediction", many, many, counts);
    }
}
