using Attune.Models;
using Attune.Tests.Datasets;
using Attune.Training;

namespace Attune.Tests.Training;

/// <summary>Computing a layer again in backward gives the same numbers, dropout included, and keeps less.</summary>
[Collection("torch")]
public sealed class CheckpointedGradientTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory, InlineData(null), InlineData("layers:1")]
    public void Train_GradientCheckpointing_GivesTheSameToTheBit(string? freeze)
    {
        var (kept, again) = (Train(false, freeze), Train(true, freeze));
        Assert.NotEqual(TinyRun.Weights(TinyRun.Model()), kept);
        Assert.Equal(kept, again);
    }

    private float[] Train(bool isOn, string? freeze)
    {
        using var model = BertForSequenceClassification.FromConfig(TinyRun.Config with { NumHiddenLayers = 4 }, seed: 1);
        var args = TinyRun.Arguments(Path.Combine(_folder.Path, $"{isOn}")) with { GradientCheckpointing = isOn, Freeze = freeze };
        new Trainer(model, args, TinyRun.Data(11), TinyRun.Data(9, seed: 1)).Train(cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(isOn, model.GradientCheckpointing);
        return TinyRun.Weights(model);
    }
}
