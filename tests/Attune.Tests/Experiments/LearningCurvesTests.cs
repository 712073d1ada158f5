using System.Globalization;
using System.Xml.Linq;
using Attune.Cli.Experiments;

namespace Attune.Tests.Experiments;

public sealed class LearningCurvesTests
{
    [Fact]
    public void Of_TwoRuns_DrawsEveryPointWithinThePanelsAndNamesTheRuns()
    {
        var culture = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = new CultureInfo("") { NumberFormat = { NumberDecimalSeparator = "," } };
            var svg = XDocument.Parse(LearningCurves.Of([Run("a & <b>", 1), Run("other", 0.5)], []).ToSvg());
            var lines = svg.Descendants().Where(element => element.Name.LocalName == "polyline").ToList();
            Assert.Equal(4, lines.Count);                      // the loss and the accuracy of two runs
            foreach (var point in lines.SelectMany(line => ((string)line.Attribute("points")!).Split(' ')))
            {
                var place = Array.ConvertAll(point.Split(','), number => double.Parse(number, CultureInfo.InvariantCulture));
                Assert.InRange(place[0], 60, 710);
                Assert.InRange(place[1], 30, (double)svg.Root!.Attribute("height")!);
            }
            var texts = svg.Descendants().Where(element => element.Name.LocalName == "text").Select(element => element.Value).ToList();
            Assert.Contains("a & <b>", texts);
            Assert.Contains("eval_accuracy", texts);
            Assert.DoesNotContain("eval_runtime", texts);
            Assert.All((string[])["0", "0.2", "0.4", "0.6", "0.8", "1", "10"], tick => Assert.Contains(tick, texts));
            Assert.InRange(texts.Count, 20, 44);
        }
        finally
        {
            CultureInfo.CurrentCulture = culture;
        }
    }

    [Fact]
    public void Of_OnePointAndNothingFinite_IsStillAPicture()
    {
        var svg = XDocument.Parse(LearningCurves.Of([
            new FinishedRun("one", [], new Dictionary<string, double>(), [new Dictionary<string, double> { ["loss"] = 2, ["step"] = 5 }]),
            new FinishedRun("none", [], new Dictionary<string, double>(), [new Dictionary<string, double> { ["loss"] = double.NaN, ["step"] = 5 }]),
        ], []).ToSvg());
        Assert.Single(svg.Descendants(), element => element.Name.LocalName == "polyline");
        Assert.DoesNotContain("NaN", svg.ToString(), StringComparison.Ordinal);
    }

    private static FinishedRun Run(string name, double factor) => new(name, [], new Dictionary<string, double>(),
    [
        .. Enumerable.Range(1, 10).Select(step => new Dictionary<string, double> { ["loss"] = factor / step, ["step"] = step }),
        .. Enumerable.Range(1, 3).Select(epoch => new Dictionary<string, double> { ["eval_accuracy"] = 1 - factor / (epoch + 1), ["eval_runtime"] = 1, ["step"] = 3 * epoch }),
    ]);
}
