using Attune.Cli.Pages;

namespace Attune.Cli.Reports;

/// <summary>The first thing to read: what it is, how good it is, and how sure that is.</summary>
internal static class SummarySection
{
    internal static void Add(Report report, RunFacts run, ReportArguments what)
    {
        var page = report.Page;
        page.Section("Summary");
        page.Text(Sentence(run));
        var figures = MetricFigure.Of(run, what.Resamples, what.Seed);
        var table = new HtmlTable($"Results on {(run.AreFolds ? $"the rows that each of {run.Runs.Count} folds left out, together" : "the evaluation rows")}", "metric", "value", "95% interval", "without reading a text");
        foreach (var figure in figures)
            table.Add(figure.Name, Figures.Score(figure.Value), figure.SaidInterval, figure.Baseline is { } constant ? Figures.Score(constant) : "");
        if (table.Count > 0) page.Add(table);
        if (run.Rows is { } rows && figures.Any(figure => figure.Interval is not null))
            page.Text($"Intervals: of accuracy by Wilson's formula, of others by {Figures.Count(MetricFigure.Draws(rows, what.Resamples))} bootstrap draws of the {Figures.Count(rows.Rows)} rows. " +
                "Where the best model was chosen by these rows, its results on other rows are a little worse.");
        if (run.Rows is null) page.Missing(CardNames.Said(run, run.WithoutPredictions));
        Test(page, run, what);
    }

    private static string Sentence(RunFacts run)
    {
        var begin = run.Record is { } record
            ? $"{record.Model.Described} trained from {CardNames.Model(record.Model)} on {CardNames.Data(run)}"
            : "A text classifier";
        var rows = run.Record?.Data.Split(DataRecord.Train) is { } train ? $", {Figures.Count(train.Texts)} training texts" : "";
        var classes = run.Classes.Count switch
        {
            0 when run.Predictions is not null => " It predicts a number.",
            0 => "",
            <= 12 => $" Its {run.Classes.Count} classes: {string.Join(", ", run.Classes)}.",
            var count => $" It has {count} classes.",
        };
        return begin + rows + "." + classes + (run.Rows?.Task == TaskKind.MultiLabel ? " A text may have several of them, or none." : "");
    }

    private static void Test(HtmlPage page, RunFacts run, ReportArguments what)
    {
        var rows = MetricFigure.TestRows(run);
        var table = new HtmlTable(rows is null ? "Results on the test split" : $"Results on the test split, {Figures.Count(rows.Value)} rows", "metric", "value", "95% interval");
        foreach (var figure in MetricFigure.OfTest(run, what.Resamples, what.Seed))
            table.Add(figure.Name, Figures.Score(figure.Value), figure.SaidInterval);
        if (table.Count > 0) page.Add(table);
    }
}
