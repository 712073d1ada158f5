using Attune.Models;
using Attune.Native;
using Attune.Tests.Datasets;
using Attune.Training;

namespace Attune.Tests.Training;

/// <summary>Computing a layer again in backward gives the same numbers, dropout included, and keeps less.</summary>
[Collection("torch")]
public sealed class CheckpointedGradientTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory, InlineData(null, false, false), InlineData("layers:1", false, false), InlineData(null, true, false), InlineData(null, false, true), InlineData("layers:1", true, true)]
    public void Train_GradientCheckpointing_GivesTheSameToTheBit(string? freeze, bool bf16, bool isOnDevice)
    {
        Assert.SkipUnless(!bf16 || isOnDevice || Processor.HasBFloat16, "This processor has no instructions for bfloat16.");
        var (kept, again) = (Train(false, freeze, bf16, isOnDevice), Train(true, freeze, bf16, isOnDevice));
        Assert.NotEqual(TinyRun.Weights(TinyRun.Model()), kept);
        Assert.Equal(kept, again);
    }

    /// <summary>Of each layer but the last only the input is left after forward.</summary>
    [Fact]
    public void Backward_GradientCheckpointing_HoldsLess()
    {
        using var model = BertForSequenceClassification.FromConfig(TinyRun.Config with { NumHiddenLayers = 8 });
        var kept = MicroBatches.RowBytes.Measure(model, TinyRun.Data(1).Rows[0]);
        model.GradientCheckpointing = true;
        var again = MicroBatches.RowBytes.Measure(model, TinyRun.Data(1).Rows[0]);
        Assert.InRange(again.Token / kept.Token, 0.1, 0.4);
    }

    private float[] Train(bool isOn, string? freeze, bool bf16, bool isOnDevice)
    {
        using var model = BertForSequenceClassification.FromConfig(TinyRun.Config with { NumHiddenLayers = 4 }, seed: 1);
        if (isOnDevice) model.ComputeOn(TorchSharp.torch.CPU);
        var args = TinyRun.Arguments(Path.Combine(_folder.Path, $"{isOn}")) with { GradientCheckpointing = isOn, Freeze = freeze, Bf16 = bf16 };
        new Trainer(model, args, TinyRun.Data(11), TinyRun.Data(9, seed: 1)).Train(cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(isOn, model.GradientCheckpointing);
        return TinyRun.Weights(model);
    }
}
