using Attune.Cli.Pages;

namespace Attune.Cli.Reports;

/// <summary>Of a model that predicts numbers: what it says beside what is true.</summary>
internal static class NumbersSection
{
    private const int MostPoints = 2000;

    internal static void Add(Report report, RunFacts run)
    {
        var rows = run.Rows!;
        report.Page.Section("Predicted numbers");
        var step = Math.Max(1, (rows.Rows + MostPoints - 1) / MostPoints);
        PlotPoint[] points = [.. Enumerable.Range(0, rows.Rows).Where(row => row % step == 0).Select(row => new PlotPoint(rows.Labels[row * rows.Columns], rows.Logits[row * rows.Columns]))];
        report.Add("predictions", new LinePlot("Predicted and true numbers", "true", "predicted", [new Series("", points) { HasLine = false, HasMarks = true, MarkRadius = 2 }])
        {
            HasDiagonal = true,
            InnerHeight = 320,
            Description = "On the dashed line both are the same." + (step > 1 ? $" Every row of {step}: {Figures.Count(points.Length)} of {Figures.Count(rows.Rows)} rows." : ""),
        });
        double[] errors = [.. Enumerable.Range(0, rows.Rows).Select(row => (double)rows.Logits[row * rows.Columns] - rows.Labels[row * rows.Columns])];
        report.Add("errors", HistogramPlot.Of("Errors", "predicted less true", "rows", [("", errors)]));
        report.Page.Missing("Left out: classes, calibration and abstention, for a number has no probability.");
    }
}
