using Attune.Metrics;
using CsCheck;

namespace Attune.Tests.Metrics;

public sealed class IntervalTests
{
    /// <summary>Against scipy.stats.binomtest(hits, rows).proportion_ci(method="wilson").</summary>
    [Theory]
    [InlineData(81, 263, 0.2552885198782742, 0.36620957698280004)]
    [InlineData(15, 148, 0.06238639953073629, 0.16048724172330803)]
    [InlineData(0, 20, 0, 0.16112515805281935)]
    [InlineData(1, 29, 0.006113214292762667, 0.17175521879320282)]
    [InlineData(29, 29, 0.8830302015002592, 1)]
    [InlineData(765, 1000, 0.7377374064289093, 0.7902344115737463)]
    [InlineData(0, 0, 0, 1)]
    public void Wilson_Counts_EqualScipy(long hits, long rows, double low, double high)
    {
        var interval = WilsonInterval.Of(hits, rows);
        Assert.Equal(low, interval.Low, 1e-12);
        Assert.Equal(high, interval.High, 1e-12);
    }

    [Fact]
    public void Bootstrap_Accuracy_IsAboutWilsons()
    {
        var labels = new float[2000];
        var rows = new EvalPrediction([.. Enumerable.Range(0, 2000).SelectMany(row => row % 5 == 0 ? new float[] { 0, 1 } : [1, 0])], 2000, 2, labels);
        var (drawn, wilson) = (Bootstrap.OfClasses(rows).Accuracy, WilsonInterval.Of(1600, 2000));
        Assert.Equal(wilson.Low, drawn.Low, 0.004);
        Assert.Equal(wilson.High, drawn.High, 0.004);
    }

    /// <summary>Counting is a short cut: the intervals are those that the metrics themselves give on the same draws.</summary>
    [Theory]
    [InlineData(TaskKind.SingleLabel)]
    [InlineData(TaskKind.MultiLabel)]
    public void BootstrapOfClasses_SameDraws_EqualsTheMetrics(TaskKind task)
    {
        var rows = task == TaskKind.MultiLabel ? Made.SeveralLabels(40, 3) : Made.OneClassARow(40, 3);
        var fast = Bootstrap.OfClasses(rows, 100, seed: 7);
        Same(fast.Accuracy, "accuracy");
        Same(fast.Macro.F1, "f1_macro");
        Same(fast.Macro.Precision, "precision_macro");
        Same(fast.Micro.Recall, "recall_micro");
        if (task == TaskKind.MultiLabel) return;
        for (var label = 0; label < 3; label++)
        {
            var one = label;
            Assert.Equal(Bootstrap.Of(rows, drawn => new ConfusionMatrix(drawn.ClassLabels, drawn.Predictions, 3).Scores(one).F1, 100, 7), fast.Classes[label].F1);
        }

        void Same(Interval interval, string metric) => Assert.Equal(Bootstrap.Of(rows, MetricTable.Find(metric, task, 3).Compute, 100, 7), interval);
    }

    [Fact]
    public void Bootstrap_Seed_DecidesTheDraws()
    {
        var rows = Made.OneClassARow(40, 3);
        var accuracy = MetricTable.Find("log_loss", TaskKind.SingleLabel, 3).Compute;
        Assert.Equal(Bootstrap.Of(rows, accuracy, 200, 1), Bootstrap.Of(rows, accuracy, 200, 1));
        Assert.NotEqual(Bootstrap.Of(rows, accuracy, 200, 1), Bootstrap.Of(rows, accuracy, 200, 2));
    }

    [Fact]
    public void Bootstrap_AnyRows_HoldsTheMetricBetweenItsEnds() => Gen.Int[0, 2].Array[30].Select(Gen.Int[0, 2].Array[30]).Sample((labels, predicted) =>
    {
        var logits = new float[90];
        foreach (var (row, one) in predicted.Index()) logits[row * 3 + one] = 1;
        var rows = new EvalPrediction(logits, 30, 3, Array.ConvertAll(labels, label => (float)label));
        var interval = Bootstrap.OfClasses(rows, 300).Accuracy;
        Assert.InRange(rows.IsRight.Average(right => right ? 1.0 : 0), interval.Low, interval.High);
    }, iter: 50);

    [Fact]
    public void Bootstrap_NoRows_HasNoInterval() => Assert.True(double.IsNaN(Bootstrap.OfClasses(new EvalPrediction([1, 0], 1, 2, [-100])).Accuracy.Low));
}
