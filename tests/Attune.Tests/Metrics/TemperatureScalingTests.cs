using Attune.Metrics;
using CsCheck;

namespace Attune.Tests.Metrics;

public sealed class TemperatureScalingTests
{
    private const int Rows = 60, Classes = 4;

    // scipy's root of the slope of the log-likelihood (scipy.optimize.brentq on scipy.special.log_softmax and expit).
    private const double Tolerance = 1e-6;

    [Fact]
    public void Fit_OneClassARow_IsScipysMinimum()
    {
        var fit = TemperatureScaling.Fit(Made.OneClassARow(Rows, Classes));
        Assert.Equal(2.1237415, fit.Temperature, 1e-5);
        Assert.Equal(1.168144424892517, fit.Before.LogLoss, Tolerance);
        Assert.Equal(0.96609882479515, fit.After.LogLoss, Tolerance);
        Assert.Equal(Rows, fit.Rows);
    }

    [Fact]
    public void Fit_SeveralLabels_IsScipysMinimum()
    {
        var fit = TemperatureScaling.Fit(Made.SeveralLabels(Rows, Classes));
        Assert.Equal(2.985111, fit.Temperature, 1e-5);
        Assert.Equal(0.8100726494669049, fit.Before.LogLoss, Tolerance);
        Assert.Equal(0.5979038688303078, fit.After.LogLoss, Tolerance);
    }

    [Fact]
    public void Fit_AnyRows_NoOtherTemperatureIsBetterAndNothingElseIsPredicted() => Gen.Select(
        Gen.Int[-300, 300].Select(tenths => tenths / 10f).Array[12 * 3], Gen.Int[0, 2].Array[12]).Sample((logits, labels) =>
    {
        var rows = new EvalPrediction(logits, 12, 3, Array.ConvertAll(labels, label => (float)label));
        var fit = TemperatureScaling.Fit(rows);
        Assert.InRange(fit.Temperature, TemperatureScaling.Least, TemperatureScaling.Most);
        Assert.True(fit.After.LogLoss <= fit.Before.LogLoss + 1e-12);
        foreach (var factor in new[] { 0.9, 0.999, 1.001, 1.1 })
        {
            var other = fit.Temperature * factor;
            if (other is >= TemperatureScaling.Least and <= TemperatureScaling.Most)
                Assert.True(TemperatureScaling.Quality(rows, other).LogLoss >= fit.After.LogLoss - 1e-12, $"{other} beats {fit.Temperature}");
        }
        Assert.Equal(rows.Predictions, Probabilities.ArgMax<double>(Probabilities.Softmax(logits, 3, fit.Temperature), 3));
    });

    [Fact]
    public void Fit_AllRight_StopsAtTheLowestTemperature() =>
        Assert.Equal(TemperatureScaling.Least, TemperatureScaling.Fit(new EvalPrediction([3, 0, 0, 3], 2, 2, [0, 1])).Temperature);

    [Fact]
    public void Fit_AllWrong_StopsAtTheHighestTemperature() =>
        Assert.Equal(TemperatureScaling.Most, TemperatureScaling.Fit(new EvalPrediction([3, 0, 0, 3], 2, 2, [1, 0])).Temperature);

    [Fact]
    public void Fit_ProbabilitiesOfZero_AreAsTheSmallestThatAFloatHolds()
    {
        var fit = TemperatureScaling.Fit(new EvalPrediction([0, float.NegativeInfinity, float.NegativeInfinity, 0, 0, float.NegativeInfinity], 3, 2, [0, 1, 1]));
        Assert.InRange(fit.Temperature, 50, TemperatureScaling.Most);
        Assert.True(double.IsFinite(fit.After.LogLoss));
    }

    [Fact]
    public void Fit_RowsWithoutClass_AreNotCounted() => Assert.Equal(
        TemperatureScaling.Fit(new EvalPrediction([3, 0, 0, 3, 2, 0], 3, 2, [0, 0, 0])).Temperature,
        TemperatureScaling.Fit(new EvalPrediction([3, 0, 9, 8, 0, 3, 2, 0], 4, 2, [0, -100, 0, 0])).Temperature);

    [Theory]
    [InlineData(TaskKind.Regression, "leave the calibration out")]
    [InlineData(TaskKind.SingleLabel, "choose another split")]
    public void Fit_NothingToFitOn_SaysSo(TaskKind task, string remedy) => Assert.Contains(
        remedy, Assert.Throws<AttuneException>(() => TemperatureScaling.Fit(new EvalPrediction([1, 2], 1, 2, [-100], task))).Message, StringComparison.Ordinal);

    [Fact]
    public void CalibrationOf_Temperature_EqualsTheBinsOfTheScaledProbabilities()
    {
        var rows = Made.OneClassARow(Rows, Classes);
        var scaled = Array.ConvertAll(rows.Logits, logit => logit / 2);
        Assert.Equal(new Calibration(rows.ClassLabels, Probabilities.Softmax(scaled, Classes), Classes).ExpectedError, Calibration.Of(rows, 2).ExpectedError, 1e-12);
        Assert.Equal(Calibration.Of(rows).ExpectedError, TemperatureScaling.Quality(rows, 1).ExpectedCalibrationError);
    }

    [Fact]
    public void CalibrationOf_SeveralLabels_TakesEachAsADecision()
    {
        // Sure of 0.9 thrice, right twice; sure of 0.8 once (0.2 of a label that it lacks), right.
        var logits = Array.ConvertAll([0.9, 0.9, 0.9, 0.2], p => (float)Math.Log(p / (1 - p)));
        var calibration = Calibration.Of(new EvalPrediction(logits, 2, 2, [1, 1, 0, 0], TaskKind.MultiLabel));
        Assert.Equal((3 * Math.Abs(2 / 3.0 - 0.9) + Math.Abs(1 - 0.8)) / 4, calibration.ExpectedError, 1e-6);
    }
}
