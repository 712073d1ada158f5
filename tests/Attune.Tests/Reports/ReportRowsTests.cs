using Attune.Checkpoints;
using Attune.Cli;
using Attune.Cli.Pages;
using Attune.Metrics;
using Attune.Tests.Datasets;
using Attune.Tests.Pages;
using static Attune.Tests.Reports.ReportPage;

namespace Attune.Tests.Reports;

/// <summary>Which rows a page is of, where they stand, and what to do where it is not known.</summary>
public sealed class ReportRowsTests : IDisposable
{
    private const string Hardest = "The 20 rows with the highest loss";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Page_PartOfTheRows_TheAdviceNamesIt()
    {
        var run = Made();
        MadeRun.Change(run, ("max_eval_samples", 30), ("stratify_samples", true));
        var other = Missing(Of(_folder.Path, run)).First(line => line.StartsWith("Texts are left out", StringComparison.Ordinal));
        var again = $"attune evaluate {Path.GetFileName(run)} --save-eval-predictions true --max-eval-samples 30 --stratify-samples --output-dir {Path.GetFileName(run)}";
        Assert.Contains("its predictions are of 60 rows, but the run evaluated 30: they were written with another --max-eval-samples, or its data has changed since.", other, StringComparison.Ordinal);
        Assert.EndsWith(again, other, StringComparison.Ordinal);
        File.Delete(Path.Combine(run, CheckpointFiles.EvalPredictions));
        Assert.Contains(Missing(Of(_folder.Path, run)), line => line.EndsWith("To write it: " + again, StringComparison.Ordinal));
    }

    [Fact]
    public void Page_RowsOfSeveralFiles_AreNamedWithTheirFile()
    {
        var run = Made();
        var page = Of(_folder.Path, run);
        Assert.Contains(page.Descendants(HtmlPageTests.Name("p")), line => line.Value.StartsWith("Rows count from 1 in dev.csv, without its heading.", StringComparison.Ordinal));
        // The evaluated rows are a part that was set apart: each is found by its number in the file.
        MadeRun.Change(run, ("validation_file", null), ("validation_split", 0.5));
        var source = DataSource.Load(RunConfig.Data(run)!, MadeRun.Classes, mustFit: false, null, new Cli.RecordingTerminal().Terminal);
        source.EnsureValidation(true, 42);
        var apart = source.Rows("validation", null)!;
        var all = RunPredictions.Read(run)!;
        int[] numbers = [.. apart.Texts.Select(text => text == MadeRun.Hostile ? 0 : int.Parse(text.Split(' ', ',')[1], System.Globalization.CultureInfo.InvariantCulture))];
        RunPredictions.Write(run, Redraw.Select(all.Prediction, numbers), all.Classes, isWanted: true);
        var lines = Rows(Of(_folder.Path, run), Hardest).Where(line => line[0] != "1").ToList();
        Assert.NotEmpty(lines);
        Assert.All(lines, line => Assert.StartsWith($"text {int.Parse(line[0], System.Globalization.CultureInfo.InvariantCulture) - 1},", line[^1], StringComparison.Ordinal));
    }

    [Fact]
    public void Page_SuspectedLabels_AreToldAsTheMostThatMayBe()
    {
        var page = Of(_folder.Path, Made());
        Assert.Contains(page.Descendants(HtmlPageTests.Name("p")), line => line.Value.StartsWith("At most some ", StringComparison.Ordinal) && line.Value.Contains("the mistakes of a weak model count too", StringComparison.Ordinal));
    }

    [Fact]
    public void Page_FoldsWithoutTheNumbersOfTheirRows_SaysSo()
    {
        foreach (var fold in new[] { 1, 2 }) MadeRun.Change(MadeRun.OneLabel(Path.Combine(_folder.Path, "folds", $"fold-{fold}")), ("fold", $"{fold}/2"), ("validation_file", null));
        Assert.Contains(Missing(Of(_folder.Path, Path.Combine(_folder.Path, "folds"))), line => line.StartsWith("Left out: not every fold has eval_predictions.jsonl with the numbers of its rows.", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Page_TestPredictions_AreShownWithTheirIntervals(bool several)
    {
        var run = several ? MadeRun.SeveralLabels(Path.Combine(_folder.Path, "run")) : Made();
        Assert.DoesNotContain(Of(_folder.Path, run).Descendants(HtmlPageTests.Name("h2")), heading => heading.Value == "Test split");
        var all = RunPredictions.Read(run)!;
        var tested = Redraw.Select(all.Prediction, [.. Enumerable.Range(10, 50)]);
        RunPredictions.Write(run, tested, all.Classes, isWanted: true, file: CheckpointFiles.TestPredictions);
        var f1 = MetricTable.Find("f1_macro", tested.Task, tested.Columns);
        MadeRun.Change(run, CheckpointFiles.AllResults, ("test_f1_macro", f1.Compute(tested)));
        var page = Of(_folder.Path, run);
        Assert.Contains(page.Descendants(HtmlPageTests.Name("h2")), heading => heading.Value == "Test split");
        var interval = Bootstrap.Of(tested, f1.Compute);
        Assert.Equal([Figures.Score(f1.Compute(tested)), Figures.Interval(interval.Low, interval.High)], Line(page, "Results on the test split, 50 rows", "f1_macro"));
        var name = all.Classes[1];
        var has = several ? Enumerable.Range(0, 50).Count(row => tested.HasLabel[3 * row + 1]) : tested.ClassLabels.Count(label => label == 1);
        Assert.Equal(Figures.Count(has), Line(page, "Each class in the test split", name)[0]);
        if (several) Assert.Equal(50, Line(page, "What was decided on each label of the test split", name).Sum(count => int.Parse(count, System.Globalization.CultureInfo.InvariantCulture)));
    }

    private string Made() => MadeRun.OneLabel(Path.Combine(_folder.Path, "run"));
}
