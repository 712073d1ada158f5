using Attune.Cli.Pages;
using Attune.Metrics;

namespace Attune.Cli.Reports;

/// <summary>From which probability on a class counts, with the temperature of the model's folder: precision, recall and F1 of each class against all others.</summary>
internal static class ThresholdSection
{
    private const int MostPoints = 200, MostClasses = 100, MostCurves = 6;

    internal static void Add(Report report, RunFacts run)
    {
        var (page, rows) = (report.Page, run.Rows!);
        page.Heading("Thresholds");
        int[] order = [.. Enumerable.Range(0, rows.Columns).Where(column => Positives(rows, column) > 0)];
        if (order.Length == 0) return;
        // Of two classes the second says all: the first is its mirror.
        if (rows.Task == TaskKind.SingleLabel && rows.Columns == 2 && order.Contains(1)) order = [1];
        var chosen = rows.Columns > MostClasses ? order.OrderByDescending(column => Positives(rows, column)).Take(MostClasses).Order().ToArray() : order;
        var curves = chosen.Select(column => (Column: column, Curve: ThresholdCurve.Of(rows, column, run.Settings.Temperature))).ToList();
        if (curves is [var one])
        {
            var points = one.Curve.Thinned(MostPoints);
            report.Add("thresholds", new LinePlot($"Precision, recall and F1 of \"{run.Classes[one.Column]}\" by its threshold", "threshold", "",
            [
                new Series("precision", [.. points.Select(point => new PlotPoint(point.Threshold, point.Precision))]), new Series("recall", [.. points.Select(point => new PlotPoint(point.Threshold, point.Recall))]),
                new Series("F1", [.. points.Select(point => new PlotPoint(point.Threshold, point.F1))]),
            ])
            { XRange = (0, 1), YRange = (0, 1) });
        }
        else if (rows.Task == TaskKind.MultiLabel)
            report.Add("thresholds", new LinePlot(curves.Count > MostCurves ? $"F1 of the {MostCurves} most frequent labels by their threshold" : "F1 of each label by its threshold", "threshold", "F1",
                [.. curves.OrderByDescending(curve => Positives(rows, curve.Column)).Take(MostCurves).Select(curve =>
                    new Series(run.Classes[curve.Column], [.. curve.Curve.Thinned(MostPoints).Select(point => new PlotPoint(point.Threshold, point.F1))]))])
            { XRange = (0, 1), YRange = (0, 1) });
        var table = new HtmlTable(chosen.Length < order.Length ? $"The best thresholds of the {chosen.Length} most frequent classes" : "The threshold of each class with the highest F1 against all others", "class", "threshold", "precision", "recall", "F1");
        foreach (var (column, curve) in curves)
            if (curve.Best is { } best) table.Add(run.Classes[column], Figures.Score(best.Threshold), Figures.Score(best.Precision), Figures.Score(best.Recall), Figures.Score(best.F1));
        if (curves.Count > 12) page.AddFolded("The best threshold of each class", table);
        else page.Add(table);
        page.Text(rows.Task == TaskKind.MultiLabel
            ? "Chosen on these rows, so a little too good. To choose and keep them: attune evaluate RUN --threshold auto --save-thresholds."
            : "Chosen on these rows, so a little too good. The model itself takes the most probable class; these are for who looks for one class among all.");
    }

    private static int Positives(EvalPrediction rows, int column) => rows.Task == TaskKind.SingleLabel ? rows.Labels.Count(label => label.Equals(column))
        : Enumerable.Range(0, rows.Rows).Count(row => rows.Labels[row * rows.Columns + column] > 0.5f);
}
