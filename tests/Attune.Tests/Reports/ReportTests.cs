using System.Xml.Linq;
using Attune.Checkpoints;
using Attune.Cli;
using Attune.Cli.Pages;
using Attune.Cli.Reports;
using Attune.Metrics;
using Attune.Tests.Cli;
using Attune.Tests.Datasets;
using Attune.Tests.Pages;
using static Attune.Tests.Reports.ReportPage;

namespace Attune.Tests.Reports;

public sealed class ReportTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("one", "Summary, Classes, Confidence, Errors, Suspected labels, Words that decided, Training, Data, arguments, machine")]
    [InlineData("pairs", "Summary, Classes, Confidence, Errors, Suspected labels, Words that decided, Training, Data, arguments, machine")]
    [InlineData("several", "Summary, Classes, Confidence, Errors, Suspected labels, Words that decided, Training, Data, arguments, machine")]
    [InlineData("numbers", "Summary, Predicted numbers, Errors, Suspected labels, Words that decided, Training, Data, arguments, machine")]
    public void Page_EachKindOfTask_IsWholeSafeAndAlone(string kind, string sections)
    {
        var page = Page(Made(kind));
        Assert.Equal(sections, string.Join(", ", page.Descendants(HtmlPageTests.Name("h2")).Select(heading => heading.Value)));
        Assert.DoesNotContain(page.Descendants(), element => element.Name.LocalName is "script" or "link" or "img" or "b");
        Assert.All(page.Descendants().Attributes("href"), link => Assert.StartsWith("#", link.Value, StringComparison.Ordinal));
        var shown = string.Concat(page.Descendants(HtmlPageTests.Name("td")).Select(cell => cell.Value + "\n"));
        Assert.Contains("<script>alert('x')</script> & \"it\" | \uFFFD\uFFFD", shown, StringComparison.Ordinal);
        Assert.DoesNotContain("NaN", page.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(_folder.Path, page.ToString(), StringComparison.Ordinal);             // a page is given to others
        Assert.Equal(["train.csv"], Line(page, "All arguments", "train_file"));
        Assert.All(page.Descendants(HtmlPageTests.Name("tr")).GroupBy(line => line.Ancestors(HtmlPageTests.Name("table")).First()), lines =>
            Assert.Single(lines.Select(line => line.Elements().Count()).Distinct()));
    }

    [Fact]
    public void Page_OneLabel_ItsNumbersAreTheLibrarys()
    {
        var run = Made("one");
        var rows = RunPredictions.Read(run)!.Prediction;
        var page = Page(run);
        var matrix = new ConfusionMatrix(rows.ClassLabels, rows.Predictions, 2);
        var wilson = WilsonInterval.Of(rows.IsRight.AsSpan().Count(true), MadeRun.Rows);
        Assert.Equal([Figures.Score(matrix.Accuracy), Figures.Interval(wilson.Low, wilson.High), "0.5000"], Line(page, "Results on the evaluation rows", "accuracy"));
        var scores = matrix.Scores(1);
        var f1 = Bootstrap.OfClasses(rows).Classes[1].F1;
        var line = Line(page, "Each class", "good");
        Assert.Equal([Figures.Score(scores.Precision), Figures.Score(scores.Recall), Figures.Score(scores.F1), Figures.Interval(f1.Low, f1.High)], [line[2], line[4], line[6], line[7]]);
        var fit = TemperatureScaling.Fit(rows);
        Assert.Equal(Figures.Score(Calibration.Of(rows).ExpectedError), Line(page, "Calibration", "as it is")[0]);
        Assert.Equal(Figures.Score(fit.After.ExpectedCalibrationError), Line(page, "Calibration", $"with temperature {Figures.Score(fit.Temperature)}, fitted on these rows")[0]);
        var (worst, loss) = RowLosses.Highest(rows, 1)[0];
        Assert.Equal([Figures.Score(loss), MadeRun.Classes[(int)rows.Labels[worst]]], Line(page, "The 20 rows with the highest loss", Figures.Count(worst + 1))[..2]);
        Assert.Equal(["4", "8"], Rows(page, "The numbers of: Training speed").Select(speed => speed[1]));     // eight rows in two seconds, and in one
    }

    [Fact]
    public void Page_NoPredictions_SaysHowToGetThem()
    {
        var run = Made("one");
        File.Delete(Path.Combine(run, CheckpointFiles.EvalPredictions));
        File.Delete(Path.Combine(run, RunRecord.FileName));
        var page = Page(run);
        Assert.Equal("Summary, Training, Data, arguments, machine", string.Join(", ", page.Descendants(HtmlPageTests.Name("h2")).Select(heading => heading.Value)));
        Assert.Contains(Missing(page), line => line.EndsWith("attune evaluate one --save-eval-predictions true --output-dir one", StringComparison.Ordinal));
        Assert.Contains(Missing(page), line => line.Contains(RunRecord.FileName, StringComparison.Ordinal));
    }

    [Fact]
    public void Page_NoDataOrOther_IsWithoutTexts()
    {
        var run = Made("one");
        File.Delete(Path.Combine(run, "dev.csv"));
        var without = Page(run);
        Assert.Contains(Missing(without), line => line.StartsWith("Texts are left out, and what needs them (lengths, coloured tokens): its data cannot be read again: dev.csv", StringComparison.Ordinal));
        Assert.DoesNotContain(_folder.Path, without.ToString(), StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(run, "dev.csv"), "text,label\nother,good\nelse,\"bad <b>\"\"\"\n");
        var page = Page(run);
        Assert.Contains(Missing(page), line => line.Contains("its data has changed since", StringComparison.Ordinal));
        Assert.Equal("row 1", Rows(page, "The 20 rows with the highest loss").First(line => line[0] == "1")[^1]);
    }

    [Fact]
    public void Page_NoTexts_ShowsNone()
    {
        var page = Page(Made("one"), "--no-texts");
        Assert.DoesNotContain("which is read", page.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("Words that decided", page.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Page_TwoRuns_AreTestedAgainstEachOther()
    {
        var (first, second) = (Made("one"), MadeRun.OneLabel(Path.Combine(_folder.Path, "second"), sureness: -1));
        File.Copy(Path.Combine(first, "dev.csv"), Path.Combine(second, "dev.csv"), overwrite: true);
        var page = Page(first, second);
        var test = Line(page, "Tests on the rows that both were evaluated on", "accuracy");
        var (a, b) = (RunPredictions.Read(first)!.Prediction, RunPredictions.Read(second)!.Prediction);
        var exact = McNemar.Of(a, b);
        Assert.Equal(Figures.Score(exact.P), test[2]);
        Assert.Contains($"{exact.OnlyFirst} rows that only the first has right", test[3], StringComparison.Ordinal);
        Assert.Contains(page.Descendants(HtmlPageTests.Name("caption")), caption => caption.Value == $"The first 20 of {exact.OnlyFirst} rows that only one has right");
        Assert.Equal(["one", "second"], Rows(page, "Time").Select(line => line[0]));
        Assert.DoesNotContain(_folder.Path, page.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Page_Folds_AreJoined()
    {
        foreach (var fold in new[] { 1, 2 })
        {
            var run = MadeRun.OneLabel(Path.Combine(_folder.Path, "folds", $"fold-{fold}"));
            MadeRun.Change(run, ("fold", $"{fold}/2"), ("validation_file", null));
            var all = RunPredictions.Read(run)!;
            int[] rows = [.. Enumerable.Range(0, MadeRun.Rows).Where(row => row / 2 % 2 == fold - 1)];
            RunPredictions.Write(run, Redraw.Select(all.Prediction, rows), all.Classes, isWanted: true, rows);
        }
        var page = ReportPage.Of(_folder.Path, out var terminal, Path.Combine(_folder.Path, "folds"));
        Assert.Single(terminal.Told, line => line.StartsWith("Data: ", StringComparison.Ordinal));
        var whole = RunPredictions.Read(MadeRun.OneLabel(Path.Combine(_folder.Path, "whole")))!.Prediction;
        Assert.Equal(Figures.Score(new ConfusionMatrix(whole.ClassLabels, whole.Predictions, 2).Accuracy), Line(page, "Results on the rows that each of 2 folds left out, together", "accuracy")[0]);
        var losses = Rows(page, "The 20 rows with the highest loss").ToList();
        Assert.All(losses.Where(line => line[0] != "1"), line => Assert.Equal(MadeRun.Text(int.Parse(line[0], System.Globalization.CultureInfo.InvariantCulture) - 1), line[^1]));
        Assert.False(File.Exists(Path.Combine(_folder.Path, "folds", "README.md")));
    }

    [Fact]
    public void Plots_Folder_HasEachChartTwice()
    {
        var plots = Path.Combine(_folder.Path, "plots");
        _ = Page(Made("one"), "--plots", plots);
        var names = Directory.EnumerateFiles(plots).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal).ToList();
        Assert.Contains("confusion-matrix.svg", names);
        Assert.Contains("calibration.png", names);
        Assert.Equal(names.Count(name => name.EndsWith(".svg", StringComparison.Ordinal)), names.Count(name => name.EndsWith(".png", StringComparison.Ordinal)));
    }

    [Fact]
    public void Page_ManyRowsAndClasses_StaysSmall()
    {
        const int rows = 3_000, classes = 120;
        var logits = new float[rows * classes];
        for (var row = 0; row < rows; row++)
        {
            logits[row * classes + row % classes] = 2 + row % 3;
            logits[row * classes + row * 7 % classes] = 3 + row % 5 * 0.3f;
        }
        var run = Made("one");
        string[] names = [.. Enumerable.Range(0, classes).Select(i => $"class number {i}")];
        RunPredictions.Write(run, new EvalPrediction(logits, rows, classes, [.. Enumerable.Range(0, rows).Select(row => (float)(row % classes))]), names, isWanted: true);
        var terminal = new RecordingTerminal();
        Assert.Equal(ExitCode.Success, terminal.Run("report", run, "--no-model-card"));
        Assert.InRange(new FileInfo(Path.Combine(run, "report.html")).Length, 10_000, 3_000_000);
    }

    [Theory]
    [InlineData("attune report takes one run, or two to compare; attune compare shows more.", "a", "b", "c")]
    [InlineData("resamples is 5; it must be at least 100.", "a", "--resamples", "5")]
    [InlineData("rows and attributions must be at least 0.", "a", "--rows", "-1")]
    public void Command_WrongUse_IsSaid(string message, params string[] words)
    {
        var terminal = new RecordingTerminal();
        Assert.Equal(ExitCode.Usage, terminal.Run(["report", .. words]));
        Assert.Contains(message, terminal.Error, StringComparison.Ordinal);
    }

    private string Made(string kind)
    {
        var folder = Path.Combine(_folder.Path, kind);
        return kind switch
        {
            "one" => MadeRun.OneLabel(folder),
            "pairs" => MadeRun.OneLabel(folder, hasPairs: true),
            "several" => MadeRun.SeveralLabels(folder),
            _ => MadeRun.Numbers(folder),
        };
    }

    private XDocument Page(params string[] words) => ReportPage.Of(_folder.Path, words);
}
