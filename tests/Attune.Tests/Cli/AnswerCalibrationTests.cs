using Attune.Cli;
using Attune.Inference;
using Attune.Metrics;
using Attune.Tests.Datasets;
using Attune.Tests.Metrics;

namespace Attune.Tests.Cli;

public sealed class AnswerCalibrationTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void AddTo_NothingChanged_AddsNothing()
    {
        var metrics = new OrderedDictionary<string, double>();
        AnswerCalibration.None.AddTo(metrics, Made.OneClassARow(60, 4), "eval");
        Assert.Empty(metrics);
    }

    [Fact]
    public void AddTo_TemperatureAndConfidence_AreMeasuredBesideTheMetrics()
    {
        var rows = Made.OneClassARow(60, 4);
        var metrics = new OrderedDictionary<string, double> { ["eval_ece"] = 0.25 };
        new AnswerCalibration(2, 0.6).AddTo(metrics, rows, "eval");
        Assert.Equal(["eval_ece", "eval_log_loss", "eval_ece_at_temperature", "eval_log_loss_at_temperature", "eval_coverage", "eval_accuracy_answered"], metrics.Keys);
        Assert.Equal(0.25, metrics["eval_ece"]);                           // what was measured already stays
        Assert.Equal(Calibration.Of(rows, 2).ExpectedError, metrics["eval_ece_at_temperature"]);
        Assert.Equal(AbstentionCurve.Of(rows, 2).At(0.6).Coverage, metrics["eval_coverage"]);
    }

    [Fact]
    public void With_Thresholds_MoveAlongWithTheTemperature()
    {
        var before = new PredictionSettings { Temperature = 2, Thresholds = new Dictionary<string, double> { ["a"] = 0.2 }, Threshold = 0.5, MaxLength = 7 };
        var after = new AnswerCalibration(4, 0.3).With(before);
        Assert.Equal((4, 0.3, 0.5, 7), (after.Temperature, after.AbstainBelow, after.Threshold, after.MaxLength));
        // The logit at which a counts: 2 ln(0.2 / 0.8) = -2.77 either way.
        Assert.Equal(2 * Math.Log(0.2 / 0.8), 4 * Math.Log(after.Thresholds["a"] / (1 - after.Thresholds["a"])), 1e-9);
        Assert.Equal(0.2, EvaluationNotes.Plain(EvaluationNotes.Plain([0.2], 2), 0.5)[0], 1e-9);
    }

    [Fact]
    public void SaveThresholds_FolderWithTemperature_WritesThemAsTheyAreWithIt()
    {
        new PredictionSettings { Temperature = 2 }.Save(_folder.Path);
        EvaluationNotes.Save(_folder.Path, [0.2], ["a"]);
        var saved = PredictionSettings.Load(_folder.Path);
        Assert.Equal((2, LabelThresholds.AtTemperature(0.2, 2)), (saved.Temperature, saved.Thresholds["a"]));
    }
}
