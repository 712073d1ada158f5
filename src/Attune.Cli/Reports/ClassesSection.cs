using Attune.Cli.Pages;
using Attune.Metrics;

namespace Attune.Cli.Reports;

/// <summary>Which classes are found, and which are taken for others: of the evaluated rows, and of the test split where its predictions were kept.</summary>
internal static class ClassesSection
{
    private const int MostInMatrix = 100, MostInPlot = 40, MostUnfolded = 30, MostPairs = 10, TextsOfPair = 3;

    internal static void Add(Report report, RunFacts run, ShownRows shown, ReportArguments what)
    {
        var (page, rows) = (report.Page, run.Rows!);
        page.Section("Classes");
        var figures = ClassFigure.Of(rows, run.Classes, what.Resamples, what.Seed);
        if (rows.Task == TaskKind.SingleLabel)
        {
            var matrix = new ConfusionMatrix(rows.ClassLabels, rows.Predictions, rows.Columns);
            Matrix(report, run, matrix, "", "Confusion matrix");
            Pairs(page, run, shown, matrix);
        }
        else Decisions(page, figures, rows.Rows, "What was decided on each label");
        var worst = figures.Where(figure => figure.Rows > 0).OrderBy(figure => figure.Scores.F1).Take(MostInPlot).ToList();
        if (worst.Count > 0)
            report.Add("class-f1", new IntervalPlot(worst.Count < figures.Count(figure => figure.Rows > 0) ? $"F1 of the {worst.Count} hardest classes" : "F1 of each class, the hardest first", "F1",
                [.. worst.Select(figure => (figure.Name, figure.Scores.F1, figure.F1.Low, figure.F1.High))])
            { Range = (0, 1) });
        if (figures.Count <= MostUnfolded) page.Add(Table(figures, "Each class"));
        else
        {
            page.Add(Table([.. worst.Take(MostUnfolded)], $"The {Math.Min(MostUnfolded, worst.Count)} classes with the lowest F1"));
            page.AddFolded($"All {figures.Count} classes", Table(figures, "Each class"));
        }
        Intervals(page, rows, what);
    }

    /// <summary>The same in short of the test split.</summary>
    internal static void AddOfTest(Report report, RunFacts run, EvalPrediction rows, ReportArguments what)
    {
        var page = report.Page;
        page.Section("Test split");
        var figures = ClassFigure.Of(rows, run.Classes, what.Resamples, what.Seed);
        if (rows.Task == TaskKind.SingleLabel) Matrix(report, run, new ConfusionMatrix(rows.ClassLabels, rows.Predictions, rows.Columns), "test-", "Confusion matrix of the test split");
        else Decisions(page, figures, rows.Rows, "What was decided on each label of the test split");
        var table = Table(figures, "Each class in the test split");
        if (figures.Count <= MostUnfolded) page.Add(table);
        else page.AddFolded($"All {figures.Count} classes in the test split", table);
        Intervals(page, rows, what);
    }

    private static void Intervals(HtmlPage page, EvalPrediction rows, ReportArguments what) =>
        page.Text($"Intervals hold 95 of 100 cases: those of precision and recall by Wilson's formula, those of F1 by {Figures.Count(MetricFigure.Draws(rows, what.Resamples))} bootstrap draws.");

    private static HtmlTable Table(IReadOnlyList<ClassFigure> figures, string caption)
    {
        var table = new HtmlTable(caption, "class", "rows", "predicted", "precision", "interval", "recall", "interval", "F1", "interval");
        foreach (var figure in figures)
            table.Add(figure.Name, Figures.Count(figure.Rows), Figures.Count(figure.Predicted), Figures.Score(figure.Scores.Precision), figure.SaidPrecision,
                Figures.Score(figure.Scores.Recall), figure.SaidRecall, Figures.Score(figure.Scores.F1), figure.SaidF1);
        return table;
    }

    /// <summary>Of several labels each has a matrix of its own: two by two, written in one line.</summary>
    private static void Decisions(HtmlPage page, IReadOnlyList<ClassFigure> figures, long rows, string caption)
    {
        var table = new HtmlTable(caption, "label", "has it, found", "has it, missed", "lacks it, predicted", "lacks it, not predicted");
        foreach (var one in figures)
            table.Add(one.Name, Figures.Count(one.Found), Figures.Count(one.Rows - one.Found), Figures.Count(one.Predicted - one.Found), Figures.Count(rows - one.Rows - one.Predicted + one.Found));
        if (table.Count <= MostUnfolded) page.Add(table);
        else page.AddFolded(caption, table);
    }

    private static void Matrix(Report report, RunFacts run, ConfusionMatrix matrix, string ofFile, string title)
    {
        // Of very many classes those with the most errors.
        int[] chosen = [.. Enumerable.Range(0, matrix.Classes)];
        if (chosen.Length > MostInMatrix)
            chosen = [.. chosen.OrderByDescending(label => chosen.Sum(other => other == label ? 0 : matrix[label, other] + matrix[other, label])).Take(MostInMatrix).Order()];
        var counts = new long[chosen.Length, chosen.Length];
        for (var row = 0; row < chosen.Length; row++)
            for (var column = 0; column < chosen.Length; column++) counts[row, column] = matrix[chosen[row], chosen[column]];
        string[] names = [.. chosen.Select(label => run.Classes[label])];
        report.Add(ofFile + "confusion-matrix", new HeatMapPlot(chosen.Length < matrix.Classes ? $"{title}, the {chosen.Length} classes with the most errors" : title, "label", "prediction", names, names, counts)
        {
            Description = "A row for each true class: the darker a square, the larger its share of the row. Blue is right, orange is wrong.",
        });
    }

    private static void Pairs(HtmlPage page, RunFacts run, ShownRows shown, ConfusionMatrix matrix)
    {
        var pairs = matrix.WorstPairs(MostPairs);
        if (pairs.Count == 0)
        {
            page.Text("No class was taken for another.");
            return;
        }
        var (predictions, labels) = (run.Rows!.Predictions, run.Rows.ClassLabels);
        var table = new HtmlTable("Classes that are taken for others most often", "label", "taken for", "rows", "of the class", "for instance");
        foreach (var pair in pairs)
        {
            var some = Enumerable.Range(0, labels.Length).Where(row => labels[row] == pair.Label && predictions[row] == pair.Prediction).Take(TextsOfPair);
            table.Add(run.Classes[pair.Label], run.Classes[pair.Prediction], Figures.Count(pair.Rows), Figures.Percent(pair.Share), Markup.Join(some.Select(row => Markup.Element("div", shown.Text(row)))));
        }
        page.Add(table);
    }
}
