using Attune.Cli.Pages;
using Attune.Metrics;

namespace Attune.Cli.Reports;

/// <summary>Labels that are likely wrong, by predictions of a model that was not trained on their rows.</summary>
internal static class LabelsSection
{
    private const int LeastRows = 20;

    internal static void Add(Report report, RunFacts run, ShownRows shown, ReportArguments what)
    {
        var (page, rows) = (report.Page, run.Rows!);
        page.Section("Suspected labels");
        if (rows.Task != TaskKind.SingleLabel || rows.Columns < 2 || rows.Rows < LeastRows)
        {
            page.Missing(rows.Task == TaskKind.SingleLabel ? $"Left out: {rows.Rows} rows are too few to judge labels by." : "Left out: labels are judged where each row has one class.");
            return;
        }
        var errors = LabelErrors.Of(rows);
        page.Text($"At most some {Figures.Count(errors.EstimatedErrors)} of these {Figures.Count(rows.Rows)} labels may be wrong, by confident learning (Northcutt and others, 2021): the mistakes of a weak model count too. " +
            (run.AreFolds ? "Each row was judged by the fold that was not trained on it." : "The model was not trained on these rows. To judge all training rows: attune train with --folds 5, then attune report and attune suspects on its folder."));
        var ranked = errors.Suspects.Take(what.Rows).ToList();
        if (ranked.Count == 0) return;
        var table = new HtmlTable($"The {ranked.Count} most suspicious", "row", "label", "more likely", "probability of the label", "text");
        foreach (var suspect in ranked)
            table.Add(shown.Place(suspect.Row), run.Classes[suspect.Label], run.Classes[suspect.Suggested], Figures.Score(suspect.Score), shown.Text(suspect.Row));
        page.Add(table);
    }
}
