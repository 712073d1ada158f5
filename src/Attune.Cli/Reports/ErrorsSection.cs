using Attune.Cli.Pages;
using Attune.Metrics;

namespace Attune.Cli.Reports;

/// <summary>Where the model errs: by length, and the rows that it finds hardest.</summary>
internal static class ErrorsSection
{
    private const int MostPoints = 2000;

    internal static void Add(Report report, RunFacts run, EvaluatedTexts? texts, string? whyNoTexts, ShownRows shown, ReportArguments what)
    {
        var (page, rows) = (report.Page, run.Rows!);
        page.Section("Errors");
        if (whyNoTexts is not null) page.Missing($"Texts are left out, and what needs them (lengths, coloured tokens): {CardNames.Said(run, whyNoTexts)}");
        if (texts?.Lengths is { } all)
        {
            int[] lengths = [.. run.RowNumbers.Select(row => all[row])];
            if (rows.Task == TaskKind.Regression) ErrorByLength(report, rows, lengths);
            else ByLength(report, run, rows, lengths);
        }
        var losses = RowLosses.Highest(rows, what.Rows);
        if (losses.Count == 0) return;
        var table = new HtmlTable($"The {losses.Count} rows with the highest loss{(rows.Task == TaskKind.Regression ? " (the squared error)" : "")}",
            ["row", "loss", "label", "prediction", .. rows.Task == TaskKind.Regression ? Array.Empty<string>() : ["confidence"], "text"]);
        foreach (var (row, loss) in losses)
        {
            Markup[] first = [shown.Place(row), Figures.Score(loss), shown.Label(row), shown.Prediction(row)];
            table.Add([.. first, .. rows.Task == TaskKind.Regression ? Array.Empty<Markup>() : [shown.Confidence(row)], shown.Text(row)]);
        }
        page.Add(table);
        page.Text($"{shown.Counted}{(texts is null ? "" : $" Texts are cut at {ShownRows.MostCharacters} characters.")} High losses are often wrong labels.");
    }

    private static void ByLength(Report report, RunFacts run, EvalPrediction rows, int[] lengths)
    {
        var buckets = AccuracyByLength.Of(lengths, rows.IsRight);
        var most = run.Record?.Model.MaxLength;
        var cut = most is { } limit ? lengths.Count(length => length > limit) : 0;
        report.Add("accuracy-by-length", new LinePlot("Accuracy by length of the text", "tokens", "accuracy",
            [new Series("", [.. buckets.Select(bucket => new PlotPoint((bucket.Shortest + bucket.Longest) / 2.0, bucket.Accuracy, bucket.Interval.Low, bucket.Interval.High,
                $"{bucket.Shortest} to {bucket.Longest} tokens, {Figures.Count(bucket.Rows)} rows: {Figures.Score(bucket.Accuracy)}"))]) { HasMarks = true }])
        {
            XFrom = 0,
            Description = $"Each point stands for about as many rows ({Figures.Count((double)rows.Rows / Math.Max(1, buckets.Count))})." +
                (cut > 0 ? $" {Figures.Count(cut)} of the texts are longer than the {most} tokens that the model was trained with." : ""),
        });
    }

    private static void ErrorByLength(Report report, EvalPrediction rows, int[] lengths)
    {
        var step = Math.Max(1, (rows.Rows + MostPoints - 1) / MostPoints);
        PlotPoint[] points = [.. Enumerable.Range(0, rows.Rows).Where(row => row % step == 0).Select(row =>
            new PlotPoint(lengths[row], Math.Abs(rows.Logits[row * rows.Columns] - rows.Labels[row * rows.Columns])))];
        report.Add("error-by-length", new LinePlot("Error by length of the text", "tokens", "absolute error", [new Series("", points) { HasLine = false, HasMarks = true, MarkRadius = 2 }])
        {
            XFrom = 0,
            YFrom = 0,
            Description = step > 1 ? $"Every row of {step}: {Figures.Count(points.Length)} of {Figures.Count(rows.Rows)} rows." : "",
        });
    }
}
