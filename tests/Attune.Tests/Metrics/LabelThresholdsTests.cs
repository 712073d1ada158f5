using Attune.Metrics;
using CsCheck;

namespace Attune.Tests.Metrics;

public sealed class LabelThresholdsTests
{
    private const double Tolerance = 1e-12;

    private static readonly Gen<(bool Label, double Score)[]> Rows = Gen.Select(Gen.Bool, Gen.Int[0, 20].Select(twentieth => twentieth / 20.0)).Array[1, 40];

    private static double F1((bool Label, double Score)[] rows, double threshold)
    {
        double both = rows.Count(row => row.Label && row.Score >= threshold), all = rows.Count(row => row.Label) + rows.Count(row => row.Score >= threshold);
        return all == 0 ? 0 : 2 * both / all;
    }

    [Fact]
    public void BestF1_AnyRows_NoOtherThresholdIsBetter() => Rows.Sample(rows =>
    {
        var best = LabelThresholds.BestF1([.. rows.Select(row => row.Label)], [.. rows.Select(row => row.Score)], 1)[0];
        Assert.InRange(best, 0, 1);
        for (var other = 0.0; other <= 1; other += 0.01) Assert.True(F1(rows, best) >= F1(rows, other) - Tolerance, $"{best} is worse than {other}");
        // As near to 0.5 as can be: there is no reason to leave it for nothing.
        if (rows.Any(row => row.Label) && Math.Abs(F1(rows, 0.5) - F1(rows, best)) < Tolerance) Assert.Equal(0.5, best);
    });

    [Fact]
    public void BestF1_SeveralLabels_EachHasItsOwn() => Gen.Select(Rows, Rows).Sample((first, second) =>
    {
        var rows = Math.Min(first.Length, second.Length);
        var both = Enumerable.Range(0, rows).SelectMany(row => new[] { first[row], second[row] }).ToList();
        var together = LabelThresholds.BestF1([.. both.Select(cell => cell.Label)], [.. both.Select(cell => cell.Score)], 2);
        foreach (var (column, alone) in new[] { first[..rows], second[..rows] }.Index())
            Assert.Equal(LabelThresholds.BestF1([.. alone.Select(row => row.Label)], [.. alone.Select(row => row.Score)], 1)[0], together[column]);
    });

    [Fact]
    public void Best_LabelThatNoRowHas_StaysAtAHalf() => Assert.Equal([0.5], LabelThresholds.BestF1([false, false], [0.9, 0.1], 1));

    [Fact]
    public void AtTemperature_AnyProbability_IsOnTheSameSideAndLeadsBack() => Gen.Double[0.001, 0.999].Select(Gen.Double[-6, 6], Gen.Double[0.2, 5]).Sample((threshold, logit, temperature) =>
    {
        double plain = 1 / (1 + Math.Exp(-logit)), scaled = 1 / (1 + Math.Exp(-logit / temperature)), moved = LabelThresholds.AtTemperature(threshold, temperature);
        if (Math.Abs(plain - threshold) > 1e-9) Assert.Equal(plain >= threshold, scaled >= moved);
        Assert.Equal(threshold, LabelThresholds.AtTemperature(moved, 1 / temperature), 1e-9);
        Assert.Equal((0, 0.5, 1), (LabelThresholds.AtTemperature(0, temperature), LabelThresholds.AtTemperature(0.5, temperature), LabelThresholds.AtTemperature(1, temperature)));
    });

    [Fact]
    public void BestMicroF1_AllCells_AreOneColumn() => Rows.Sample(rows => Assert.Equal(
        LabelThresholds.BestF1([.. rows.Select(row => row.Label)], [.. rows.Select(row => row.Score)], 1)[0],
        LabelThresholds.BestMicroF1([.. rows.Select(row => row.Label)], [.. rows.Select(row => row.Score)])));

    [Fact]
    public void PredictedLabels_Thresholds_DecideByProbability()
    {
        var rows = new EvalPrediction([0, 0, 2, -2], 2, 2, [1, 1, 1, 0], TaskKind.MultiLabel);
        Assert.Equal([false, false, true, false], rows.PredictedLabels);
        Assert.Equal([true, false, true, false], (rows with { Thresholds = [0.5, 0.6] }).PredictedLabels);
        var f1 = MetricTable.Find("f1", TaskKind.MultiLabel, 2);
        Assert.Equal(0.8, f1.Compute(rows with { Thresholds = [0.5, 0.6] }), Tolerance);
        Assert.True(f1.HasThresholds);
        Assert.False(MetricTable.Find("roc_auc", TaskKind.MultiLabel, 2).HasThresholds);
    }
}
