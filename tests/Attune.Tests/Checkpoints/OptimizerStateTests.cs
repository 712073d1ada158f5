using Attune.Checkpoints;
using Attune.Formats;
using Attune.Optimization;
using Attune.Tests.Datasets;
using Attune.Tests.Training;

namespace Attune.Tests.Checkpoints;

[Collection("torch")]
public sealed class OptimizerStateTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string File => Path.Combine(_folder.Path, CheckpointFiles.Optimizer);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Write_EachOptimizer_StandsUnderItsLastingName()
    {
        using var model = TinyRun.Model();
        foreach (var (name, optimizer) in new (string, Optimizer)[]
            { ("AdamW", new AdamW(model.Weights)), ("Adafactor", new Adafactor(model.Weights)), ("Sgd", new Sgd(model.Weights, momentum: 0.5)),
              ("Lion", new Lion(model.Weights)), ("RmsProp", new RmsProp(model.Weights)), ("Adagrad", new Adagrad(model.Weights)), ("AdEmaMix", new AdEmaMix(model.Weights)),
              ("StableAdamW", new StableAdamW(model.Weights)), ("ScheduleFreeAdamW", new ScheduleFree(model.Weights)),
              ("ScheduleFreeRAdam", new ScheduleFree(model.Weights, settings: new(ScheduleFreeKind.RAdam))), ("ScheduleFreeSgd", new ScheduleFree(model.Weights, settings: new(ScheduleFreeKind.Sgd))) })
        {
            using (optimizer)
            {
                optimizer.Step();
                OptimizerState.Of(optimizer).Write(_folder.Path);
                optimizer.StepCount = 7;
                Assert.True(OptimizerState.Read(optimizer, _folder.Path));
                Assert.Equal(1, optimizer.StepCount);
            }
            using var file = SafeTensors.Open(File);
            Assert.Equal((name, "1"), (file.Metadata["optimizer"], file.Metadata["step_count"]));
        }
    }

    [Fact]
    public void Read_NumbersOfAnOptimizer_AreThoseWritten()
    {
        using var model = TinyRun.Model();
        using ScheduleFree one = new(model.Weights, 0.3), other = new(model.Weights, 0.3);
        for (var step = 0; step < 3; step++) one.Step();
        OptimizerState.Of(one).Write(_folder.Path);
        Assert.True(OptimizerState.Read(other, _folder.Path));
        Assert.Equal(0.3, one.Numbers["lr_max"]);
        Assert.Equal(0.27, one.Numbers["weight_sum"], 1e-12);
        Assert.Equal(one.Numbers, other.Numbers);
    }

    [Fact]
    public void Read_OtherOptimizerOrNoFile_IsFalse()
    {
        using var model = TinyRun.Model();
        using var adamW = new AdamW(model.Weights);
        Assert.False(OptimizerState.Read(adamW, _folder.Path));
        using var adafactor = new Adafactor(model.Weights);
        OptimizerState.Of(adafactor).Write(_folder.Path);
        Assert.False(OptimizerState.Read(adamW, _folder.Path));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("-3")]
    [InlineData("three")]
    public void Read_NoNumberOfSteps_IsRefusedAndNothingIsTaken(string? steps)
    {
        using var model = TinyRun.Model();
        using var optimizer = new Sgd(model.Weights);
        var metadata = new Dictionary<string, string> { ["optimizer"] = "Sgd" };
        if (steps is not null) metadata["step_count"] = steps;
        SafeTensors.Write(File, [], metadata);
        var error = Assert.Throws<AttuneException>(() => OptimizerState.Read(optimizer, _folder.Path));
        Assert.Equal($"{File} is damaged: it lacks step_count, the number of updates made; resume from another checkpoint.", error.Message);
        Assert.Equal(0, optimizer.StepCount);
    }
}
