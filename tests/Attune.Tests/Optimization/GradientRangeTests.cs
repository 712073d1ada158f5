using Attune.Batching;
using Attune.Native;
using Attune.Optimization;
using Attune.Tests.Training;

namespace Attune.Tests.Optimization;

[Collection("torch")]
public class GradientRangeTests
{
    [Fact]
    public void Clip_GradientsOfABatch_CutsEveryElementAndTheLengthIsOfWhatIsLeft()
    {
        using var model = TinyRun.Model();
        const double most = 1e-3;
        float[] whole = [.. Gradients(model, clip: null)], clipped = [.. Gradients(model, most)];
        Assert.Contains(whole, value => Math.Abs(value) > 10 * most);
        Assert.Equal(whole.Select(value => Math.Clamp(value, (float)-most, (float)most)), clipped);
    }

    [Fact]
    public void Clip_NotANumber_StaysSo()
    {
        using var model = TinyRun.Model();
        LibTorch.Span(model.Weights.Gradients).Fill(float.NaN);
        GradientRange.Clip(model.Weights, 1);
        Assert.True(double.IsNaN(GradientNorm.Compute(model.Weights)));
    }

    private static float[] Gradients(Attune.Models.BertForSequenceClassification model, double? clip)
    {
        model.Weights.ClearGradients();
        (model.Training, model.DropoutKey) = (true, (1, 0));
        using (var output = model.Forward(Batch.Pack([new TokenizedRow([2, 5, 6, 7, 3]), new TokenizedRow([2, 9, 3])], new ClassLabels([1, 0])))) output.Backward();
        if (clip is { } most) GradientRange.Clip(model.Weights, most);
        var norm = GradientNorm.Compute(model.Weights);
        var gradients = LibTorch.Span(model.Weights.Gradients).ToArray();
        Assert.Equal(Math.Sqrt(gradients.Sum(value => (double)value * value)), norm, 1e-6);
        return gradients;
    }
}
