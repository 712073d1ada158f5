using Attune.Metrics;
using CsCheck;

namespace Attune.Tests.Metrics;

public sealed class CurveTests
{
    /// <summary>Against sklearn.metrics.precision_recall_curve, whose last point has no threshold.</summary>
    [Fact]
    public void ThresholdCurve_Scores_EqualsScikitLearn()
    {
        bool[] positive = [false, false, true, true, false, true, false, true, true, false];
        double[] scores = [.1, .4, .35, .8, .4, .65, .9, .35, .7, .05];
        (double Threshold, double Precision, double Recall)[] expected =
        [
            (0.05, 0.5, 1), (0.1, 5 / 9.0, 1), (0.35, 0.625, 1), (0.4, 0.5, 0.6), (0.65, 0.75, 0.6), (0.7, 2 / 3.0, 0.4), (0.8, 0.5, 0.2), (0.9, 0, 0),
        ];
        var curve = new ThresholdCurve(positive, scores);
        Assert.Equal(expected, curve.Points.Select(point => (point.Threshold, point.Precision, point.Recall)));
        Assert.Equal((0.35, 8, 2 * 0.625 / 1.625), (curve.Best!.Value.Threshold, curve.Best.Value.Rows, curve.Best.Value.F1));
        Assert.Equal([0.05, 0.4, 0.9], curve.Thinned(3).Select(point => point.Threshold));
    }

    [Fact]
    public void ThresholdCurveOf_Class_IsThatOfItsProbabilities()
    {
        var rows = Made.OneClassARow(60, 4);
        var own = Probabilities.Softmax(rows.Logits, 4, 2).Where((_, i) => i % 4 == 2).ToArray();
        var expected = new ThresholdCurve(Array.ConvertAll(rows.ClassLabels, label => label == 2), own);
        Assert.Equal(expected.Points, ThresholdCurve.Of(rows, 2, 2).Points);
    }

    [Fact]
    public void AbstentionCurve_Rows_CountsThoseThatAreSureEnough()
    {
        var curve = new AbstentionCurve([0.9, 0.5, 0.7, 0.7, 0.3], [true, false, true, false, false]);
        Assert.Equal([new(0.3, 5, 1, 0.4), new(0.5, 4, 0.8, 0.5), new(0.7, 3, 0.6, 2 / 3.0), new(0.9, 1, 0.2, 1)], curve.Points);
        Assert.Equal(0, curve.ThresholdFor(0.4));
        Assert.Equal(0.4, curve.ThresholdFor(0.45)!.Value, 1e-12);
        Assert.Equal(0.8, curve.ThresholdFor(0.9)!.Value, 1e-12);
        Assert.Null(curve.ThresholdFor(1.1));
        Assert.Equal(new AbstentionPoint(0.6, 3, 0.6, 2 / 3.0), curve.At(0.6));
        Assert.Equal((0, 0.0), (curve.At(0.95).Answered, curve.At(0.95).Coverage));
    }

    [Fact]
    public void ThresholdFor_AnyRows_IsReachedAndNoLowerOneIs() => Gen.Select(Gen.Int[0, 10].Select(tenth => tenth / 10.0), Gen.Bool).Array[1, 30].Sample(rows =>
    {
        var curve = new AbstentionCurve([.. rows.Select(row => row.Item1)], [.. rows.Select(row => row.Item2)]);
        double Accuracy(double threshold) => rows.Where(row => row.Item1 >= threshold).Select(row => row.Item2 ? 1.0 : 0).DefaultIfEmpty(double.NaN).Average();
        var found = curve.ThresholdFor(0.8);
        if (found is { } threshold) Assert.True(Accuracy(threshold) >= 0.8 - 1e-12);
        foreach (var (confidence, _) in rows.Where(row => found is null || row.Item1 < found)) Assert.True(Accuracy(confidence) < 0.8);
    });

    [Fact]
    public void AbstentionCurveOf_SeveralLabels_IsAsSureAsTheLeastSureDecision()
    {
        var logits = Array.ConvertAll([0.9, 0.4, 0.8, 0.05], p => (float)Math.Log(p / (1 - p)));
        var rows = new EvalPrediction(logits, 2, 2, [1, 0, 1, 1], TaskKind.MultiLabel);
        var points = AbstentionCurve.Of(rows).Points;
        Assert.Equal([0.6, 0.8], points.Select(point => Math.Round(point.Threshold, 6)));
        Assert.Equal([0.5, 0], points.Select(point => point.Accuracy));
        // From 0.3 on the second label of the first row counts too, with 0.4.
        Assert.Equal(0.4, AbstentionCurve.Of(rows with { Thresholds = [0.3, 0.3] }).Points[0].Threshold, 1e-6);
    }

    [Fact]
    public void AccuracyByLength_Rows_AreSharedOutAndEqualLengthsStayTogether()
    {
        var buckets = AccuracyByLength.Of([7, 3, 3, 3, 5, 9, 9, 12], [true, true, false, true, false, true, true, false], 3);
        Assert.Equal([(3, 3, 3), (5, 9, 4), (12, 12, 1)], buckets.Select(bucket => (bucket.Shortest, bucket.Longest, bucket.Rows)));
        Assert.Equal([2 / 3.0, 0.75, 0], buckets.Select(bucket => bucket.Accuracy));
        Assert.Equal(WilsonInterval.Of(3, 4), buckets[1].Interval);
        Assert.Single(AccuracyByLength.Of([4, 4, 4], [true, true, true], 8));
        Assert.Empty(AccuracyByLength.Of([], []));
    }

    [Fact]
    public void RowLosses_OneClass_AreThoseWhoseMeanIsTheLogLoss()
    {
        var rows = Made.OneClassARow(60, 4);
        Assert.Equal(1.168144424892517, RowLosses.Of(rows).Average(), 1e-6);           // sklearn.metrics.log_loss
        var highest = RowLosses.Highest(rows, 5);
        Assert.Equal(5, highest.Count);
        Assert.Equal(RowLosses.Of(rows).Max(), highest[0].Loss);
        Assert.True(highest.Zip(highest.Skip(1)).All(pair => pair.First.Loss >= pair.Second.Loss));
    }

    [Fact]
    public void RowLosses_OtherKinds_AreTheMeansOfTheirCells()
    {
        Assert.Equal([Math.Log(2), (Math.Log(1 + Math.Exp(3)) + Math.Log(1 + Math.Exp(-2))) / 2],
            RowLosses.Of(new EvalPrediction([0, 0, 3, -2], 2, 2, [1, 0, 0, 0], TaskKind.MultiLabel)));
        Assert.Equal([4, 0.25], RowLosses.Of(new EvalPrediction([3, 1.5f], 2, 1, [1, 1], TaskKind.Regression)));
        Assert.Equal(double.NaN, RowLosses.Of(new EvalPrediction([3, 1], 1, 2, [-100]))[0]);
    }

    [Fact]
    public void WorstPairs_Rows_AreThoseOftenestConfused()
    {
        var pairs = new ConfusionMatrix([0, 0, 0, 1, 1, 2, 2, 2, 2], [1, 1, 0, 1, 0, 1, 1, 2, 0], 3).WorstPairs(3);
        Assert.Equal([new(0, 1, 2, 2 / 3.0), new(2, 1, 2, 0.5), new(1, 0, 1, 0.5)], pairs);
    }
}
