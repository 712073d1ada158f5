using System.Globalization;
using Attune.Cli;
using Attune.Cli.Pages;
using Attune.Cli.Reports;
using Attune.Inference;
using Attune.Metrics;
using Attune.Tests.Datasets;
using static Attune.Tests.Reports.ReportPage;

namespace Attune.Tests.Reports;

/// <summary>A folder with a temperature: what the page says of answers is what predict would say, and metrics are of the model without it.</summary>
public sealed class ReportAnswersTests : IDisposable
{
    private const double Temperature = 2.5;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Page_OneLabel_ConfidencesAreThoseOfThePredictions()
    {
        var run = Made(folder => MadeRun.OneLabel(folder), new PredictionSettings { Temperature = Temperature });
        var rows = RunPredictions.Read(run)!.Prediction;
        var page = Of(_folder.Path, run);
        var scores = Probabilities.Softmax(rows.Logits, 2, Temperature);
        foreach (var line in Rows(page, "The 20 rows with the highest loss"))
        {
            var row = int.Parse(line[0], CultureInfo.InvariantCulture) - 1;
            Assert.Equal(Figures.Score(Math.Max(scores[2 * row], scores[2 * row + 1])), line[4]);
        }
        Assert.Equal([Figures.Score(Calibration.Of(rows).ExpectedError), Figures.Score(TemperatureScaling.Quality(rows, 1).LogLoss)], Line(page, "Calibration", "without temperature"));
        var now = TemperatureScaling.Quality(rows, Temperature);
        Assert.Equal([Figures.Score(now.ExpectedCalibrationError), Figures.Score(now.LogLoss)], Line(page, "Calibration", "as it answers now, with temperature 2.5000"));
        Assert.NotNull(Line(page, "Calibration", "with a temperature fitted on other rows"));
        var best = ThresholdCurve.Of(rows, 1, Temperature).Best!.Value;
        Assert.Equal(Figures.Score(best.Threshold), Line(page, "The threshold of each class with the highest F1 against all others", "good")[0]);
        // The metrics and losses are those of the model.
        Assert.Equal(Figures.Score(RowLosses.Highest(rows, 1)[0].Loss), Rows(page, "The 20 rows with the highest loss").First()[1]);
    }

    [Theory]
    [InlineData("one")]
    [InlineData("several")]
    public void Page_Abstention_IsOfUseToAbstainBelow(string kind)
    {
        var run = Made(folder => kind == "one" ? MadeRun.OneLabel(folder) : MadeRun.SeveralLabels(folder), new PredictionSettings { Temperature = Temperature });
        var rows = RunPredictions.Read(run)!.Prediction;
        var right = rows.IsRight;
        var lines = Rows(Of(_folder.Path, run), "From which confidence on answers reach an accuracy, on these rows").ToList();
        Assert.NotEmpty(lines);
        // What predict leaves unanswered is decided by the probabilities of the answers.
        var scores = Probabilities.Of(rows.Logits, rows.Columns, rows.Task, Temperature);
        foreach (var line in lines)
        {
            var least = double.Parse(line[1], CultureInfo.InvariantCulture);
            int[] answered = [.. Enumerable.Range(0, rows.Rows).Where(row => Probabilities.Confidence(scores.AsSpan(row * rows.Columns, rows.Columns), rows.Task) >= least)];
            Assert.Equal(line[2], Figures.Count(answered.Length));
            Assert.Equal(line[4], Figures.Percent((double)answered.Count(row => right[row]) / answered.Length));
        }
    }

    [Fact]
    public void Page_LabelsWithThresholdsAndTemperature_AreDecidedAsPredictDoes()
    {
        var thresholds = new Dictionary<string, double> { ["red"] = 0.62, ["green"] = 0.35, ["blue"] = 0.7 };
        var run = Made(MadeRun.SeveralLabels, new PredictionSettings { Temperature = Temperature, Thresholds = thresholds });
        var rows = RunPredictions.Read(run)!.Prediction;
        var page = Of(_folder.Path, run);
        var answers = Probabilities.Sigmoid(rows.Logits, Temperature);
        foreach (var (column, (name, threshold)) in thresholds.Index())
        {
            (bool Has, bool Said)[] decided = [.. Enumerable.Range(0, rows.Rows).Select(row => (rows.HasLabel[3 * row + column], answers[3 * row + column] >= threshold))];
            string Count(bool has, bool said) => Figures.Count(decided.Count(one => one == (has, said)));
            Assert.Equal([Count(true, true), Count(true, false), Count(false, true), Count(false, false)], Line(page, "What was decided on each label", name));
            Assert.Equal(Figures.Count(decided.Count(one => one.Said)), Line(page, "Each class", name)[1]);
        }
        var facts = RunFacts.Read(run);
        Assert.NotEqual(rows.PredictedLabels, facts.Rows!.PredictedLabels);              // the thresholds change something
        var confidence = Enumerable.Range(0, 3).Min(column => answers[column] >= thresholds.Values.ElementAt(column) ? answers[column] : 1 - answers[column]);
        Assert.Equal(confidence, facts.Confidence(0), 9);
    }

    [Fact]
    public void Page_TemperatureOfTheseRows_IsNotToldTwice()
    {
        var run = Made(folder => MadeRun.OneLabel(folder), new PredictionSettings());
        new PredictionSettings { Temperature = TemperatureScaling.Fit(RunPredictions.Read(run)!.Prediction).Temperature }.Save(run);
        var lines = Rows(Of(_folder.Path, run), "Calibration").Select(line => line[0]).ToList();
        Assert.Equal(3, lines.Count);
        Assert.DoesNotContain(lines, line => line.EndsWith("fitted on these rows", StringComparison.Ordinal));
    }

    private string Made(Func<string, string> make, PredictionSettings settings)
    {
        var run = make(Path.Combine(_folder.Path, "run"));
        settings.Save(run);
        return run;
    }
}
