using Attune.Metrics;
using CsCheck;

namespace Attune.Tests.Metrics;

/// <summary>What holds for metrics of any data.</summary>
public sealed class MetricPropertyTests
{
    private const double Tolerance = 1e-9;

    private static readonly Gen<(int Label, int Prediction)[]> Rows = Gen.Select(Gen.Int[0, 4], Gen.Int[0, 4]).Array[1, 60];

    // Coarse, so that equal values occur.
    private static readonly Gen<(bool Positive, double Score)[]> Scored =
        Gen.Select(Gen.Bool, Gen.Int[0, 12].Select(step => step / 12.0)).Array[1, 60];

    private static readonly Gen<(double, double)[]> Pairs =
        Gen.Select(Gen.Int[-9, 9].Select(value => (double)value), Gen.Int[-9, 9].Select(value => (double)value)).Array[2, 40];

    [Fact]
    public void ConfusionMatrix_ClassesRenumbered_KeepsItsScores() =>
        Gen.Select(Rows, Gen.Shuffle(new[] { 0, 1, 2, 3, 4 })).Sample((rows, numbers) =>
        {
            var before = Matrix(rows);
            var after = Matrix(Array.ConvertAll(rows, row => (numbers[row.Label], numbers[row.Prediction])));
            Close(before.Accuracy, after.Accuracy);
            Close(before.MatthewsCorrelation, after.MatthewsCorrelation);
            Close(before.CohenKappa, after.CohenKappa);
            foreach (var averaging in new[] { Averaging.Micro, Averaging.Macro, Averaging.Weighted })
                Close(before.Average(averaging).F1, after.Average(averaging).F1);
        });

    [Fact]
    public void ConfusionMatrix_RowsShuffled_KeepsItsScores() =>
        Rows.SelectMany(rows => Gen.Shuffle(rows).Select(shuffled => (rows, shuffled))).Sample(two =>
            Assert.Equal(Matrix(two.rows).Average(Averaging.Weighted), Matrix(two.shuffled).Average(Averaging.Weighted)));

    [Fact]
    public void ConfusionMatrix_LabelsAndPredictionsSwapped_SwapsPrecisionAndRecall() => Rows.Sample(rows =>
    {
        var (one, other) = (Matrix(rows), Matrix(Array.ConvertAll(rows, row => (row.Prediction, row.Label))));
        for (var label = 0; label < 5; label++)
        {
            Assert.Equal(one.Scores(label).Precision, other.Scores(label).Recall);
            Assert.Equal(one.Scores(label).F1, other.Scores(label).F1);
        }
        Close(one.MatthewsCorrelation, other.MatthewsCorrelation);
    });

    [Fact]
    public void RocAuc_AnyScores_IsTheShareOfPairsInOrder() => Scored.Sample(rows =>
    {
        double pairs = 0, won = 0;
        foreach (var high in rows.Where(row => row.Positive))
            foreach (var low in rows.Where(row => !row.Positive))
            {
                pairs++;
                won += high.Score > low.Score ? 1 : high.Score == low.Score ? 0.5 : 0;
            }
        Close(won / pairs, Auc(rows));
    });

    [Fact]
    public void RocAuc_ScoresNegated_IsTheComplement() => Scored.Sample(rows =>
        Close(1 - Auc(rows), Auc(Array.ConvertAll(rows, row => (row.Positive, -row.Score)))));

    [Fact]
    public void Ranking_ScoresThroughARisingFunction_StaysTheSame() => Scored.Sample(rows =>
    {
        var bent = Array.ConvertAll(rows, row => (row.Positive, Math.Exp(3 * row.Score) - 7));
        Assert.Equal(Auc(rows), Auc(bent));
        Assert.Equal(AveragePrecision(rows), AveragePrecision(bent));
        Assert.InRange(AveragePrecision(rows), 0, 1 + Tolerance);
    });

    [Fact]
    public void Correlations_OneSideScaledAndMoved_StayTheSame() => Pairs.Sample(pairs =>
    {
        var (first, second) = (Array.ConvertAll(pairs, pair => pair.Item1), Array.ConvertAll(pairs, pair => pair.Item2));
        var moved = Array.ConvertAll(first, value => 3 * value + 5);
        var turned = Array.ConvertAll(first, value => -value);
        foreach (var correlation in new[] { (Correlated)Correlation.Pearson, Correlation.Spearman, Correlation.KendallTau })
        {
            var value = correlation(first, second);
            Close(value, correlation(moved, second));
            Close(value, correlation(second, first));
            Close(-value, correlation(turned, second));
            Assert.True(double.IsNaN(value) == (first.Distinct().Count() == 1 || second.Distinct().Count() == 1));
        }
    });

    [Fact]
    public void KendallTau_AnyValues_EqualsCountingAllPairs() => Pairs.Sample(pairs =>
    {
        double sum = 0, firstDiffer = 0, secondDiffer = 0;
        for (var i = 0; i < pairs.Length; i++)
            for (var j = 0; j < i; j++)
            {
                var (x, y) = (Math.Sign(pairs[i].Item1 - pairs[j].Item1), Math.Sign(pairs[i].Item2 - pairs[j].Item2));
                sum += x * y;
                firstDiffer += x * x;
                secondDiffer += y * y;
            }
        Close(sum / Math.Sqrt(firstDiffer * secondDiffer),
            Correlation.KendallTau(Array.ConvertAll(pairs, pair => pair.Item1), Array.ConvertAll(pairs, pair => pair.Item2)));
    });

    [Fact]
    public void Softmax_AnyLogits_SumsToOneAndIgnoresAShift() =>
        Gen.Select(Gen.Int[-90, 90].Select(logit => (float)logit).Array[3], Gen.Int[-800, 800]).Sample((logits, shift) =>
        {
            var probabilities = Probabilities.Softmax(logits, 3);
            Close(1, probabilities.Sum());
            foreach (var (one, other) in probabilities.Zip(Probabilities.Softmax(Array.ConvertAll(logits, logit => logit + shift), 3)))
                Assert.Equal(one, other);
        });

    [Fact]
    public void Calibration_AnyProbabilities_CountsEveryRowOnceAndWeighsGaps() =>
        Gen.Select(Gen.Int[0, 1], Gen.Int[0, 100].Select(step => step / 100.0)).Array[1, 50].Sample(rows =>
        {
            var calibration = new Calibration(
                Array.ConvertAll(rows, row => row.Item1), [.. rows.SelectMany(row => new[] { row.Item2, 1 - row.Item2 })], 2, 10);
            Assert.Equal(rows.Length, calibration.Bins.Sum(bin => bin.Rows));
            Assert.All(calibration.Bins, bin => Assert.InRange(bin.Confidence, bin.Index / 10.0, (bin.Index + 1) / 10.0 + Tolerance));
            Assert.InRange(calibration.ExpectedError, 0, calibration.MaximumError + Tolerance);
        });

    private delegate double Correlated(ReadOnlySpan<double> first, ReadOnlySpan<double> second);

    private static ConfusionMatrix Matrix((int Label, int Prediction)[] rows) =>
        new(Array.ConvertAll(rows, row => row.Label), Array.ConvertAll(rows, row => row.Prediction), 5);

    private static double Auc((bool Positive, double Score)[] rows) =>
        Ranking.RocAuc(Array.ConvertAll(rows, row => row.Positive), Array.ConvertAll(rows, row => row.Score));

    private static double AveragePrecision((bool Positive, double Score)[] rows) =>
        Ranking.AveragePrecision(Array.ConvertAll(rows, row => row.Positive), Array.ConvertAll(rows, row => row.Score));

    private static void Close(double expected, double actual) => Assert.True(
        double.IsNaN(expected) ? double.IsNaN(actual) : Math.Abs(expected - actual) <= Tolerance, $"{actual}, not {expected}");
}
