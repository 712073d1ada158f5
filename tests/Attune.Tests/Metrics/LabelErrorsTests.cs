using Attune.Metrics;
using CsCheck;

namespace Attune.Tests.Metrics;

public sealed class LabelErrorsTests
{
    /// <summary>Against the equations of the paper written in numpy.</summary>
    [Fact]
    public void ConfidentJoint_Rows_EqualsThePaper()
    {
        var errors = LabelErrors.Of(Made.OneClassARow(60, 4));
        double[] thresholds = [0.7838943133665754, 0.2996262734493036, 0.6457963605683346, 0.4383162741912509];
        long[,] joint = { { 16, 1, 1, 2 }, { 1, 5, 1, 0 }, { 2, 1, 11, 1 }, { 1, 0, 1, 9 } };
        for (var label = 0; label < 4; label++)
        {
            Assert.Equal(thresholds[label], errors.Thresholds[label], 1e-6);
            for (var likely = 0; likely < 4; likely++) Assert.Equal(joint[label, likely], errors[label, likely]);
        }
        Assert.Equal(14, errors.EstimatedErrors);                          // 13.58
        Assert.Equal(14, errors.Suspects.Count());
    }

    [Fact]
    public void Ranked_FlippedLabels_ComeFirstWithTheirClass()
    {
        // 300 rows that a model is sure of by 0.7, of which each 20th is labelled as the next class.
        const int classes = 3;
        var (labels, probabilities) = (new int[300], new double[300 * classes]);
        for (var row = 0; row < labels.Length; row++)
        {
            var actual = row % classes;
            for (var other = 0; other < classes; other++) probabilities[row * classes + other] = other == actual ? 0.7 - row * 1e-4 : 0.15 + row * 5e-5;
            labels[row] = row % 20 == 0 ? (actual + 1) % classes : actual;
        }
        foreach (var ranking in Enum.GetValues<SuspicionRanking>())
        {
            var errors = new LabelErrors(labels, probabilities, classes, ranking);
            var first = errors.Ranked.Take(15).ToList();
            Assert.All(first, suspect => Assert.Equal((0, true, suspect.Row % classes), (suspect.Row % 20, suspect.IsConfident, suspect.Suggested)));
            Assert.Equal(300, errors.Ranked.Count);
            Assert.InRange(errors.EstimatedErrors, 10, 25);
        }
    }

    [Fact]
    public void Ranked_AnyRows_HoldsEachLabelledRowOnceInOrderAndSuggestsAnother() =>
        Gen.Int[-1, 2].Array[1, 20].SelectMany(labels => Gen.Double[0, 1].Array[labels.Length * 3].Select(scores => (labels, scores))).Sample(rows =>
        {
            var ranked = new LabelErrors(rows.labels, rows.scores, 3).Ranked;
            Assert.Equal(Enumerable.Range(0, rows.labels.Length).Where(row => rows.labels[row] >= 0), ranked.Select(suspect => suspect.Row).Order());
            Assert.All(ranked, suspect => Assert.NotEqual(suspect.Label, suspect.Suggested));
            Assert.True(ranked.Zip(ranked.Skip(1)).All(pair => pair.First.Score <= pair.Second.Score));
        });

    [Fact]
    public void NormalizedMargin_Row_IsBetweenZeroAndOne()
    {
        var errors = new LabelErrors([0, 1], [1, 0, 1, 0], 2, SuspicionRanking.NormalizedMargin);
        Assert.Equal([(1, 0.0), (0, 1.0)], errors.Ranked.Select(suspect => (suspect.Row, suspect.Score)));
    }

    [Fact]
    public void Constructor_WrongSizes_SaySo()
    {
        Assert.Throws<ArgumentException>(() => new LabelErrors([0], [1], 2));
        Assert.Throws<ArgumentException>(() => new LabelErrors([2], [1, 0], 2));
        Assert.Throws<ArgumentException>(() => LabelErrors.Of(new EvalPrediction([1], 1, 1, [1], TaskKind.Regression)));
    }
}
