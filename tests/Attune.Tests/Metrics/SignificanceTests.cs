using Attune.Metrics;
using CsCheck;

namespace Attune.Tests.Metrics;

public sealed class SignificanceTests
{
    /// <summary>Counted by hand: twice the sum of the binomial coefficients up to the smaller number, over 2 to the number of rows.</summary>
    [Theory]
    [InlineData(0, 0, 1)]
    [InlineData(0, 1, 1)]
    [InlineData(5, 5, 1)]
    [InlineData(1, 9, 22.0 / 1024)]
    [InlineData(9, 1, 22.0 / 1024)]
    [InlineData(0, 10, 2.0 / 1024)]
    [InlineData(2, 6, 2.0 * (1 + 8 + 28) / 256)]
    public void McNemar_FewRows_IsTheExactProbability(int first, int second, double expected) => Assert.Equal(expected, new McNemar(first, second).P, 1e-12);

    [Fact]
    public void McNemar_ManyRows_IsNeitherZeroNorNone() => Assert.InRange(new McNemar(2000, 2300).P, 1e-7, 1e-4);

    [Fact]
    public void McNemar_Predictions_CountsRowsThatOnlyOneHasRightAndPassesOverThoseWithoutClass()
    {
        float[] labels = [0, 1, 0, 1, -100];
        var first = Classes([0, 1, 1, 0, 0], labels);
        var second = Classes([0, 0, 0, 1, 1], labels);
        Assert.Equal(new McNemar(1, 2), McNemar.Of(first, second));
    }

    [Fact]
    public void Bootstrap_EqualRuns_AreNoDifferent()
    {
        var run = Classes([0, 1, 1, 0], [0, 1, 0, 1]);
        Assert.Equal((0, 0, 0, 1), Parts(PairedBootstrap.Of(run, run, Accuracy, 200, 1)));
    }

    [Fact]
    public void Bootstrap_ClearlyBetterRun_IsSureOfIt()
    {
        var labels = new float[200];
        var worse = Classes([.. Enumerable.Range(0, 200).Select(row => row % 3 == 0 ? 1 : 0)], labels);
        var better = Classes([.. Enumerable.Range(0, 200).Select(row => row % 30 == 0 ? 1 : 0)], labels);
        var (difference, low, high, p) = Parts(PairedBootstrap.Of(worse, better, Accuracy, 500, 1));
        Assert.Equal(0.3, difference, 1e-9);
        Assert.InRange(low, 0.2, 0.3);
        Assert.InRange(high, 0.3, 0.4);
        Assert.Equal(2.0 / 501, p, 1e-12);
    }

    [Fact]
    public void Bootstrap_SameSeed_IsTheSameAndTheOtherWayRoundItsNegative() => Gen.Int[0, 2].Array[20].Select(Gen.Int[0, 2].Array[20], Gen.Int[0, 2].Array[20], Gen.Int).Sample((labels, a, b, seed) =>
    {
        var known = Array.ConvertAll(labels, label => (float)label);
        var (first, second) = (Classes(a, known, 3), Classes(b, known, 3));
        var (there, back) = (PairedBootstrap.Of(first, second, Accuracy, 100, seed), PairedBootstrap.Of(second, first, Accuracy, 100, seed));
        Assert.Equal(there, PairedBootstrap.Of(first, second, Accuracy, 100, seed));
        Assert.Equal(there.Difference, -back.Difference, 1e-12);
        Assert.Equal(there.Low, -back.High, 1e-9);
        Assert.Equal(there.P, back.P, 1e-12);
    }, iter: 20);

    private static double Accuracy(EvalPrediction prediction) => prediction.Predictions.Zip(prediction.ClassLabels, (a, b) => a == b ? 1.0 : 0).Average();

    private static (double, double, double, double) Parts(PairedBootstrap of) => (of.Difference, of.Low, of.High, of.P);

    private static EvalPrediction Classes(int[] predicted, float[] labels, int classes = 2)
    {
        var logits = new float[predicted.Length * classes];
        foreach (var (row, one) in predicted.Index()) logits[row * classes + one] = 1;
        return new EvalPrediction(logits, predicted.Length, classes, labels);
    }
}
