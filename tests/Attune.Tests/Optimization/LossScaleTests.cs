using Attune.Checkpoints;
using Attune.Native;
using Attune.Optimization;
using Attune.Tests.Datasets;
using Attune.Tests.Formats;
using Attune.Tests.Training;

namespace Attune.Tests.Optimization;

[Collection("torch")]
public class LossScaleTests
{
    [Fact]
    public void Scale_WithoutArguments_IsPyTorchs()
    {
        var scale = new LossScale();
        for (var update = 1; update < 2000; update++) Assert.False(scale.CountMade());
        Assert.Equal((65_536.0, 1999), (scale.Value, scale.State.GoodUpdates));
        Assert.True(scale.CountMade());
        Assert.Equal(new LossScaleState(131_072, 0, 0), scale.State);
        scale.CountSkipped();
        Assert.Equal(new LossScaleState(65_536, 0, 1), scale.State);
    }

    [Fact]
    public void CountSkipped_BetweenOthers_BeginsTheCountAnew()
    {
        var scale = new LossScale(first: 8, interval: 3);
        scale.CountMade();
        scale.CountMade();
        scale.CountSkipped();
        Assert.Equal([false, false, true], Enumerable.Range(0, 3).Select(_ => scale.CountMade()));
        Assert.Equal(new LossScaleState(8, 0, 1), scale.State);
    }

    [Fact]
    public void Scale_AtItsEnds_StaysANumberThatHelps()
    {
        var largest = new LossScale(first: Math.Pow(2, 127), interval: 1);
        Assert.False(largest.CountMade());
        Assert.Equal(Math.Pow(2, 127), largest.Value);
        var smallest = new LossScale(first: 2);
        Assert.False(smallest.IsSmallest);
        smallest.CountSkipped();
        Assert.True(smallest.IsSmallest);
    }

    [Fact]
    public void Unscale_Gradients_AreThoseWithoutScale()
    {
        using var model = TinyRun.Model();
        var gradients = LibTorch.Span(model.Weights.Gradients);
        for (var i = 0; i < gradients.Length; i++) gradients[i] = 1024f * i;
        gradients[^1] = float.PositiveInfinity;
        new LossScale(first: 1024).Unscale(model.Weights);
        Assert.Equal(Enumerable.Range(0, gradients.Length - 1).Select(i => (float)i), gradients[..^1].ToArray());
        Assert.Equal(float.PositiveInfinity, gradients[^1]);
    }

    [Fact]
    public void Read_CheckpointOfTransformers_GivesWhereItsScaleStands()
    {
        using var folder = new TemporaryFolder();
        Assert.Null(TorchLossScale.Read(folder.Path, 90));
        var file = Path.Combine(folder.Path, TorchLossScale.FileName);
        File.WriteAllBytes(file, TorchFiles.File(TorchFiles.StateDict(("scale", Real(32_768)), ("growth_factor", Real(2)), ("_growth_tracker", TorchFiles.Number(71)))));
        Assert.Equal(new LossScaleState(32_768, 71, 0), TorchLossScale.Read(folder.Path, 90));
        File.WriteAllBytes(Path.Combine(folder.Path, "scheduler.pt"), TorchFiles.File(TorchFiles.StateDict(("last_epoch", TorchFiles.Number(88)))));
        Assert.Equal(new LossScaleState(32_768, 71, 2), TorchLossScale.Read(folder.Path, 90));
        File.WriteAllBytes(file, TorchFiles.File(TorchFiles.StateDict(("scale", Real(-1)), ("_growth_tracker", TorchFiles.Number(71)))));
        Assert.Contains(TorchLossScale.FileName, Assert.Throws<AttuneException>(() => TorchLossScale.Read(folder.Path, 90)).Message, StringComparison.Ordinal);

        static string Real(double value) => "G" + string.Concat(BitConverter.GetBytes(value).Reverse().Select(part => (char)part));
    }
}
