using Attune.Cli.Pages;
using Attune.Metrics;

namespace Attune.Cli.Reports;

/// <summary>Whether the model is right as often as it says, and what it is worth where it may keep silent.</summary>
internal static class CalibrationSection
{
    private const int LeastRows = 20, MostPoints = 200;
    private static readonly double[] Wanted = [0.8, 0.9, 0.95, 0.98, 0.99];

    internal static void Add(Report report, RunFacts run)
    {
        var (page, rows) = (report.Page, run.Rows!);
        page.Section("Confidence");
        page.Heading("Calibration");
        var before = Calibration.Of(rows);
        var series = new List<Series> { Bins("as it is", before) };
        if (rows.Rows >= LeastRows)
        {
            var fit = TemperatureScaling.Fit(rows);
            var (halves, temperatures) = CrossFitted(rows);
            var after = Calibration.Of(halves);
            series.Add(Bins("with temperature", after));
            var table = new HtmlTable("Calibration", "", "expected calibration error", "log loss");
            table.Add("as it is", Figures.Score(before.ExpectedError), Figures.Score(fit.Before.LogLoss));
            table.Add("with a temperature fitted on other rows", Figures.Score(after.ExpectedError), Figures.Score(TemperatureScaling.Quality(halves, 1).LogLoss));
            table.Add($"with temperature {Figures.Score(fit.Temperature)}, fitted on these rows", Figures.Score(fit.After.ExpectedCalibrationError), Figures.Score(fit.After.LogLoss));
            page.Text($"Dividing the logits by a temperature of {Figures.Score(fit.Temperature)} makes these rows most likely; above 1 the model is too sure of itself. " +
                $"What that does on rows that it was not fitted on: each half of the rows with the temperature of the other half ({Figures.Score(temperatures.First)} and {Figures.Score(temperatures.Second)}).");
            page.Add(table);
        }
        else page.Missing($"Left out: temperature scaling, for {rows.Rows} rows are too few to fit it; {LeastRows} are the least.");
        report.Add("calibration", new LinePlot("Calibration", "confidence", "accuracy", series)
        {
            XRange = (0, 1),
            YRange = (0, 1),
            HasDiagonal = true,
            InnerHeight = 320,
            Description = "Rows in bins by how sure the model is; on the dashed line it is right as often as it says. Bars hold 95 of 100 cases (Wilson)." +
                (rows.Task == TaskKind.MultiLabel ? " Each label of a row is a decision of its own." : ""),
        });
        Abstention(report, rows);
    }

    /// <summary>Each half of the rows (every second one) divided by the temperature that suits the other half.</summary>
    internal static (EvalPrediction Rows, (double First, double Second) Temperatures) CrossFitted(EvalPrediction rows)
    {
        var (first, second) = (TemperatureScaling.Fit(Half(rows, 0)).Temperature, TemperatureScaling.Fit(Half(rows, 1)).Temperature);
        var logits = (float[])rows.Logits.Clone();
        for (var i = 0; i < logits.Length; i++) logits[i] /= (float)(i / rows.Columns % 2 == 0 ? second : first);
        return (rows with { Logits = logits }, (first, second));
    }

    private static EvalPrediction Half(EvalPrediction rows, int which) =>
        Redraw.Select(rows, [.. Enumerable.Range(0, rows.Rows).Where(row => row % 2 == which)]);

    private static Series Bins(string name, Calibration calibration) => new(name, [.. calibration.Bins.Select(bin =>
    {
        var interval = WilsonInterval.Of((long)Math.Round(bin.Accuracy * bin.Rows), bin.Rows);
        return new PlotPoint(bin.Confidence, bin.Accuracy, interval.Low, interval.High, $"{Figures.Count(bin.Rows)} rows: confidence {Figures.Score(bin.Confidence)}, accuracy {Figures.Score(bin.Accuracy)}");
    })])
    { HasMarks = true };

    private static void Abstention(Report report, EvalPrediction rows)
    {
        var page = report.Page;
        page.Heading("Abstention");
        var curve = AbstentionCurve.Of(rows);
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
            table.Add(Figures.Percent(wanted), Figures.Score(threshold), Figures.Count(there.Answered), Figures.Percent(there.Coverage), Figures.Percent(there.Accuracy));
        }
        if (table.Count > 0) page.Add(table);
        page.Text($"All rows together: accuracy {Figures.Score(all)}{(rows.Task == TaskKind.MultiLabel ? " (all labels of a row right)" : "")}.");
    }
}
