using Attune.Native;
using Attune.Optimization;
using Attune.Tests.Training;

namespace Attune.Tests.Optimization;

[Collection("torch")]
public class AveragedWeightsTests
{
    [Theory, InlineData(0.9, 0), InlineData(0.99, 2), InlineData(null, 3)]
    public void MovingAverage_OfSixUpdates_IsTheWeightedMeanOfThoseThatCount(double? decay, int start)
    {
        using var model = TinyRun.Model();
        using var optimizer = new AdamW(model.Weights, 1e-2);
        using var average = new MovingAverage(optimizer, decay, start);
        var (sum, total) = (new double[model.Weights.Count], 0.0);
        for (var update = 1; update <= 6; update++)
        {
            Assert.Null(update <= start + 1 ? average.Show() : null);
            LibTorch.Span(model.Weights.Gradients).Fill(update - 3);
            optimizer.Step();
            average.Follow(update);
            if (update <= start) continue;
            var values = LibTorch.Span(model.Weights.Values);
            total = total * (decay ?? 1) + 1;
            for (var i = 0; i < sum.Length; i++) sum[i] = sum[i] * (decay ?? 1) + values[i];
        }
        Assert.Equal(6 - start, average.Updates);
        var before = LibTorch.Span(model.Weights.Values).ToArray();
        using (average.Show())
        {
            Assert.Null(average.Show());                                   // it is there already
            TensorAssert.Close(Array.ConvertAll(sum, one => (float)(one / total)), LibTorch.Span(model.Weights.Values), 1e-6, "average");
        }
        Assert.Equal(before, LibTorch.Span(model.Weights.Values).ToArray());
        average.Keep();
        Assert.NotEqual(before, LibTorch.Span(model.Weights.Values).ToArray());
    }

    /// <summary>A run that was made longer begins to average later than it did, and must not show what it averaged before.</summary>
    [Fact]
    public void MovingAverage_StartMovedBehindUpdatesThatCounted_BeginsAnew()
    {
        using var model = TinyRun.Model();
        using var optimizer = new AdamW(model.Weights, 1e-2);
        using var average = new MovingAverage(optimizer, decay: null, start: 3) { Updates = 2 };
        LibTorch.Span(average.Other).Fill(7);
        average.Follow(3);
        Assert.Null(average.Show());
        average.Follow(4);
        Assert.Equal(1, average.Updates);
        Assert.Equal(TinyRun.Weights(model), LibTorch.Span(average.Other).ToArray());
    }

    [Fact]
    public void ShowAverage_OfScheduleFreeLearning_IsTheMeanOfTheFastSequence()
    {
        using var model = TinyRun.Model();
        using var optimizer = new ScheduleFree(model.Weights, 1e-2);
        var sum = new double[model.Weights.Count];
        for (var update = 1; update <= 3; update++)
        {
            LibTorch.Span(model.Weights.Gradients).Fill(update - 1.5f);
            optimizer.Step();
            var fast = LibTorch.Span(optimizer.Fast);
            for (var i = 0; i < sum.Length; i++) sum[i] += fast[i] / 3.0;
        }
        var before = LibTorch.Span(model.Weights.Values).ToArray();
        using (optimizer.ShowAverage()) TensorAssert.Close(Array.ConvertAll(sum, one => (float)one), LibTorch.Span(model.Weights.Values), 1e-6, "average");
        Assert.Equal(before, LibTorch.Span(model.Weights.Values).ToArray());
    }

    [Fact]
    public void Show_FrozenWeights_StayWhereTheyAre()
    {
        using var model = TinyRun.Model();
        model.Weights["bert.pooler.dense.weight"].RequiresGrad = false;
        var before = LibTorch.Span(model.Weights["bert.pooler.dense.weight"].Value).ToArray();
        using var optimizer = new AdamW(model.Weights, 1e-2);
        using var average = new MovingAverage(optimizer, 0.5);
        optimizer.Step();
        average.Follow(1);
        using var shown = average.Show();
        Assert.Equal(before, LibTorch.Span(model.Weights["bert.pooler.dense.weight"].Value).ToArray());
    }
}
