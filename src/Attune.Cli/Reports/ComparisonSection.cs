using Attune.Cli.Experiments;
using Attune.Cli.Pages;

namespace Attune.Cli.Reports;

/// <summary>Two runs side by side, and whether they differ by more than chance.</summary>
internal static class ComparisonSection
{
    private const int MostClasses = 15;

    internal static void Add(Report report, RunFacts first, RunFacts second, ReportArguments what)
    {
        var (page, names) = (report.Page, CardNames.Folders([first.Folder, second.Folder]));
        page.Section("Two runs");
        page.Text($"{names[0]} beside {names[1]}. The rest of this page is of {names[0]}, but for the curves of training, which are of both.");
        var (a, b) = (MetricFigure.Of(first, what.Resamples, what.Seed), MetricFigure.Of(second, what.Resamples, what.Seed));
        var results = new HtmlTable("Results on the evaluation rows", "metric", names[0], "95% interval", names[1], "95% interval");
        foreach (var name in a.Concat(b).Select(figure => figure.Name).Distinct())
            results.Add([name, .. new[] { a, b }.Select(figures => figures.FirstOrDefault(figure => figure.Name == name)).SelectMany(figure =>
                new Markup[] { figure is null ? "" : Figures.Score(figure.Value), figure?.SaidInterval ?? "" })]);
        page.Add(results);
        Tests(page, first, second, what);
        var differing = new HtmlTable("Arguments that differ", "argument", names[0], names[1]);
        foreach (var name in CompareCommand.Differing([first.Run, second.Run]))
            differing.Add(name, CardNames.Argument(first, name), CardNames.Argument(second, name));
        if (differing.Count > 0) page.Add(differing);
        else page.Text("All arguments are the same.");
    }

    private static void Tests(HtmlPage page, RunFacts first, RunFacts second, ReportArguments what)
    {
        if (first.AreFolds || second.AreFolds)
        {
            page.Missing("Left out: a test of the difference, for cross-validations have several models. attune compare shows their runs.");
            return;
        }
        var tests = Significance.Of(first.Run, second.Run, new CompareArguments { Resamples = what.Resamples, Seed = what.Seed }, out var whyNot);
        if (whyNot is not null)
        {
            page.Missing($"Left out: a test of the difference. {CardNames.Said(second, CardNames.Said(first, whyNot))}.");
            return;
        }
        var table = new HtmlTable("Tests on the rows that both were evaluated on", "metric", "difference", "95% interval", "p", "test");
        foreach (var test in tests)
            table.Add(test.Metric, Figures.Score(test.Bootstrap.Difference), Figures.Interval(test.Bootstrap.Low, test.Bootstrap.High), Figures.Score(test.P),
                test.McNemar is { } exact ? $"{test.Test}: {exact.OnlyFirst} rows that only the first has right, {exact.OnlySecond} that only the second has" : test.Test);
        page.Add(table);
        page.Text($"The difference is the second's value less the first's; its interval is of {Figures.Count(what.Resamples)} paired bootstrap draws. p is the probability of a difference at least as large where both are equally good.");
    }

    /// <summary>Which rows and classes one of the two has right and the other does not; after what is told of each.</summary>
    internal static void AddRows(Report report, RunFacts first, RunFacts second, ShownRows shown, ReportArguments what)
    {
        var (a, b) = (first.Rows, second.Rows);
        if (a is null || b is null || a.Task == TaskKind.Regression || a.Task != b.Task || !first.Classes.SequenceEqual(second.Classes) || !a.Labels.AsSpan().SequenceEqual(b.Labels)) return;
        var (page, names) = (report.Page, CardNames.Folders([first.Folder, second.Folder]));
        page.Section("Where the two runs differ");
        var (left, right, other) = (a.IsRight, b.IsRight, new ShownRows(second, null, showsTexts: false));
        foreach (var (name, isOnly) in new[] { (names[0], (Func<int, bool>)(row => left[row] && !right[row])), (names[1], row => right[row] && !left[row]) })
        {
            int[] all = [.. Enumerable.Range(0, a.Rows).Where(isOnly)];
            if (all.Length == 0 || what.Rows == 0) continue;
            var table = new HtmlTable(all.Length > what.Rows ? $"The first {what.Rows} of {Figures.Count(all.Length)} rows that only {name} has right" : $"The rows that only {name} has right",
                "row", "label", names[0], names[1], "text");
            foreach (var row in all.Take(what.Rows)) table.Add(shown.Place(row), shown.Label(row), shown.Prediction(row), other.Prediction(row), shown.Text(row));
            page.Add(table);
        }
        var (before, after) = (ClassFigure.Of(a, first.Classes, 100, what.Seed), ClassFigure.Of(b, second.Classes, 100, what.Seed));
        var classes = new HtmlTable("Classes whose F1 differs most", "class", "rows", names[0], names[1], "difference");
        foreach (var (one, two) in before.Zip(after).OrderByDescending(pair => Math.Abs(pair.Second.Scores.F1 - pair.First.Scores.F1)).Take(MostClasses))
            classes.Add(one.Name, Figures.Count(one.Rows), Figures.Score(one.Scores.F1), Figures.Score(two.Scores.F1), Figures.Score(two.Scores.F1 - one.Scores.F1));
        page.Add(classes);
    }
}
