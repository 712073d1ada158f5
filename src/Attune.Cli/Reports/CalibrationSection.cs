using System.Globalization;
using Attune.Cli.Pages;
using Attune.Inference;
using Attune.Metrics;

namespace Attune.Cli.Reports;

/// <summary>Whether the model is right as often as it says, and what it is worth where it may keep silent.</summary>
internal static class CalibrationSection
{
    private const int MostPoints = 200;
    private static readonly double[] Wanted = [0.8, 0.9, 0.95, 0.98, 0.99];

    internal static void Add(Report report, RunFacts run)
    {
        var (page, rows, figures) = (report.Page, run.Rows!, CalibrationFigures.Of(run.Rows!, run.Settings.Temperature));
        page.Section("Confidence");
        if (figures.IsScaled)
            page.Text($"{PredictionSettings.FileName} of the model's folder divides the logits by a temperature of {Figures.Score(figures.Temperature)}{(figures.IsOfTheseRows ? ", which was fitted on these rows" : "")}. " +
                "So the model answers now, and the confidences and thresholds on this page are those of its answers; metrics and losses are of the model without it.");
        page.Heading("Calibration");
        var plain = figures.IsScaled ? "without temperature" : "as it is";
        var series = new List<Series> { Bins(plain, Calibration.Of(rows)) };
        var table = new HtmlTable("Calibration", "", "expected calibration error", "log loss");
        Line(table, plain, figures.Plain);
        if (figures.IsScaled)
        {
            series.Add(Bins("as it answers now", Calibration.Of(rows, figures.Temperature)));
            Line(table, $"as it answers now, with temperature {Figures.Score(figures.Temperature)}", figures.Now);
        }
        if (figures is { Fit: { } fit, CrossFitted: { } halves, OnOthers: { } onOthers })
        {
            series.Add(Bins("with a temperature of other rows", Calibration.Of(halves)));
            Line(table, "with a temperature fitted on other rows", onOthers);
            if (!figures.IsOfTheseRows) Line(table, $"with temperature {Figures.Score(fit.Temperature)}, fitted on these rows", fit.After);
            page.Text($"Dividing the logits by a temperature of {Figures.Score(fit.Temperature)} makes these rows most likely; above 1 the model is too sure of itself. " +
                $"What that does on rows that it was not fitted on: each half of the rows with the temperature of the other half ({Figures.Score(figures.Halves.First)} and {Figures.Score(figures.Halves.Second)}).");
        }
        else page.Missing($"Left out: fitting a temperature, for {rows.Rows} rows are too few; {CalibrationFigures.LeastRows} are the least.");
        page.Add(table);
        report.Add("calibration", new LinePlot("Calibration", "confidence", "accuracy", series)
        {
            XRange = (0, 1),
            YRange = (0, 1),
            HasDiagonal = true,
            InnerHeight = 320,
            Description = "Rows in bins by how sure the model is; on the dashed line it is right as often as it says. Bars hold 95 of 100 cases (Wilson)." +
                (rows.Task == TaskKind.MultiLabel ? " Each label of a row is a decision of its own." : ""),
        });
        Abstention(report, rows, run.Settings.Temperature);
    }

    private static void Line(HtmlTable table, string name, ProbabilityQuality quality) => table.Add(name, Figures.Score(quality.ExpectedCalibrationError), Figures.Score(quality.LogLoss));

    private static Series Bins(string name, Calibration calibration) => new(name, [.. calibration.Bins.Select(bin =>
    {
        var interval = WilsonInterval.Of((long)Math.Round(bin.Accuracy * bin.Rows), bin.Rows);
        return new PlotPoint(bin.Confidence, bin.Accuracy, interval.Low, interval.High, $"{Figures.Count(bin.Rows)} rows: confidence {Figures.Score(bin.Confidence)}, accuracy {Figures.Score(bin.Accuracy)}");
    })])
    { HasMarks = true };

    private static void Abstention(Report report, EvalPrediction rows, double temperature)
    {
        var page = report.Page;
        page.Heading("Abstention");
        var curve = AbstentionCurve.Of(rows, temperature);
        report.Add("abstention", new LinePlot("Accuracy where the model may keep silent", "share of rows that are answered", "accuracy",
            [new Series("", [.. curve.Thinned(MostPoints).Select(point => new PlotPoint(point.Coverage, point.Accuracy))])])
        {
            XRange = (0, 1),
            Description = "Only rows of which the model is sure enough are answered, the surest first.",
        });
        var all = curve.Points is [var whole, ..] ? whole.Accuracy : double.NaN;
        var table = new HtmlTable("From which confidence on answers reach an accuracy, on these rows", "wanted accuracy", "confidence", "answered rows", "their share", "their accuracy");
        foreach (var wanted in Wanted.Where(wanted => !(all >= wanted)))
        {
            if (curve.ThresholdFor(wanted) is not { } threshold) continue;
            var there = curve.At(threshold);
            table.Add(Figures.Percent(wanted), Said(curve, threshold), Figures.Count(there.Answered), Figures.Percent(there.Coverage), Figures.Percent(there.Accuracy));
        }
        if (table.Count > 0)
        {
            page.Add(table);
            page.Text("Chosen on these rows, so a little too good. To leave texts of less confidence unanswered: attune predict --abstain-below CONFIDENCE.");
        }
        page.Text($"All rows together: accuracy {Figures.Score(all)}{(rows.Task == TaskKind.MultiLabel ? " (all labels of a row right)" : "")}.");
    }

    /// <summary>A threshold with as many digits as it needs to leave the same rows unanswered where it is copied: four, unless rows lie closer together.</summary>
    private static string Said(AbstentionCurve curve, double threshold)
    {
        for (var digits = 4; digits < 16; digits++)
            if (threshold.ToString($"F{digits}", CultureInfo.InvariantCulture) is var said && curve.At(double.Parse(said, CultureInfo.InvariantCulture)).Answered == curve.At(threshold).Answered) return said;
        return threshold.ToString("R", CultureInfo.InvariantCulture);
    }
}
