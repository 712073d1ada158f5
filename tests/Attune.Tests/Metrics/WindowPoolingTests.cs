using Attune.Metrics;

namespace Attune.Tests.Metrics;

public sealed class WindowPoolingTests
{
    // Logits are float32.
    private const double Tolerance = 1e-6;

    // Text 0 has one window, text 1 has three.
    private static readonly float[] Logits = [0.5f, -2, 2, 0, 0, 1, 0, 1];
    private static readonly int[] Starts = [0, 1, 4];

    [Fact]
    public void Mean_Logits_AreAveraged() =>
        Assert.Equal([0.5f, -2, 2 / 3f, 2 / 3f], PooledWindows.Logits(Logits, 2, Starts, WindowPooling.Mean, TaskKind.SingleLabel));

    [Fact]
    public void Max_OneClass_IsTheHighestProbabilityOfAnyWindow()
    {
        var pooled = PooledWindows.Logits(Logits, 2, Starts, WindowPooling.Max, TaskKind.SingleLabel);
        var (first, second) = (1 / (1 + Math.Exp(-2)), 1 / (1 + Math.Exp(-1)));
        Assert.Equal([0.5f, -2], pooled[..2]);
        Assert.Equal(first / (first + second), Probabilities.Softmax(pooled, 2)[2], Tolerance);
    }

    [Fact]
    public void Max_SeveralLabelsOrNumbers_IsTheHighestLogit()
    {
        Assert.Equal([0.5f, -2, 2, 1], PooledWindows.Logits(Logits, 2, Starts, WindowPooling.Max, TaskKind.MultiLabel));
        Assert.Equal([0.5f, -2, 2, 1], PooledWindows.Logits(Logits, 2, Starts, WindowPooling.Max, TaskKind.Regression));
    }

    [Fact]
    public void Vote_OneClass_IsTheShareOfWindowsAndTheMeanDecidesTies()
    {
        var pooled = Probabilities.Softmax(PooledWindows.Logits(Logits, 2, Starts, WindowPooling.Vote, TaskKind.SingleLabel), 2);
        var mean = (1 / (1 + Math.Exp(-2)) + 2 / (1 + Math.Exp(1))) / 3;
        Assert.Equal((1 + mean) / 4, pooled[2], Tolerance);
        Assert.Equal(1, pooled[2] + pooled[3], Tolerance);
        var tie = Probabilities.Softmax(PooledWindows.Logits([3, 0, 0, 1], 2, [0, 2], WindowPooling.Vote, TaskKind.SingleLabel), 2);
        Assert.True(tie[0] > 0.5);
    }

    [Fact]
    public void Vote_SeveralLabels_NeedsMoreThanHalfOfTheWindows()
    {
        var pooled = PooledWindows.Logits([9, 9, 9, -0.1f, -9, -0.1f], 2, [0, 3], WindowPooling.Vote, TaskKind.MultiLabel);
        Assert.True(pooled[0] > 0);
        Assert.True(pooled[1] < 0);
    }

    [Fact]
    public void Vote_Numbers_IsRefused() => Assert.Equal("window_pooling is vote, which is for classes, but the labels are numbers; take mean or max.",
        Assert.Throws<AttuneException>(() => PooledWindows.Logits(Logits, 2, Starts, WindowPooling.Vote, TaskKind.Regression)).Message);
}
