using Attune.Metrics;

namespace Attune.Tests.Metrics;

public sealed class BaselineTests
{
    private const double Tolerance = 1e-6;                                  // logits are float32

    private static double Score(EvalPrediction rows, string metric) => MetricTable.Find(metric, rows.Task, rows.Columns).Compute(Baseline.Of(rows));

    [Fact]
    public void Of_Classes_IsTheMostFrequentWithItsShareAsProbability()
    {
        var rows = new EvalPrediction(new float[12], 4, 3, [2, 0, 2, -100]);
        Assert.Equal(2 / 3.0, Score(rows, "accuracy"), Tolerance);
        Assert.Equal(-(2 * Math.Log(2 / 3.0) + Math.Log(1 / 3.0)) / 3, Score(rows, "log_loss"), 1e-5);
        Assert.Equal(0, Score(rows, "matthews_correlation"));
        Assert.Equal("always \"c\"", Baseline.Describe(rows, ["a", "b", "c"]));
    }

    [Fact]
    public void Of_SeveralLabels_IsTheMostFrequentOneAlone()
    {
        var rows = new EvalPrediction(new float[8], 4, 2, [1, 0, 0, 0, 0, 1, 0, 0], TaskKind.MultiLabel);
        Assert.Equal(2 * 1 / (4 + 2.0), Score(rows, "f1"), Tolerance);      // ties: the first
        Assert.Equal("always \"a\"", Baseline.Describe(rows, ["a", "b"]));
    }

    [Fact]
    public void Of_Numbers_IsTheirMean()
    {
        var rows = new EvalPrediction(new float[3], 3, 1, [1, 2, 6], TaskKind.Regression);
        Assert.Equal(14 / 3.0, Score(rows, "mse"), Tolerance);
        Assert.Equal(0, Score(rows, "r2"), Tolerance);
        Assert.True(double.IsNaN(Score(rows, "pearson")));
        Assert.Equal("always the mean, 3.0", Baseline.Describe(rows, ["LABEL_0"]));
    }
}
