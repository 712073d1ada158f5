using Attune.Batching;
using Attune.Checkpoints;
using Attune.Models;
using Attune.Optimization;
using Attune.Tests.Datasets;
using Attune.Tests.Training;

namespace Attune.Tests.Batching;

[Collection("torch")]
public sealed class DataLoaderTests
{
    [Theory]
    [InlineData(11, 4, false, 3)]
    [InlineData(11, 4, true, 2)]
    [InlineData(12, 4, true, 3)]
    [InlineData(3, 4, true, 0)]
    [InlineData(0, 4, false, 0)]
    public void Count_AnyRows_IsThatOfTheBatches(int rows, int size, bool dropLast, int count)
    {
        var loader = new DataLoader(TinyRun.Data(rows), size, Sampler.Random(rows, seed: 1), dropLast);
        Assert.Equal((count, count), (loader.Count, loader.Epoch(3).Count()));
    }

    [Fact]
    public void Epoch_Random_HasEachRowOnceAndRepeatsItself()
    {
        var data = TinyRun.Data(11);
        var loader = new DataLoader(data, 4, Sampler.Random(11, seed: 1));
        Assert.Equal(Enumerable.Range(0, 11), loader.Rows(0).SelectMany(rows => rows).Order());
        Assert.Equal(loader.Rows(2), loader.Rows(2));
        Assert.NotEqual(loader.Rows(0), loader.Rows(1));
        Assert.Equal(data.Batch(loader.Rows(1)[2]).InputIds, loader.Epoch(1).ElementAt(2).InputIds);
        Assert.Equal(Enumerable.Range(0, 11), new DataLoader(data, 4).Rows(5).SelectMany(rows => rows));
    }

    [Fact]
    public void Updates_CutIntoBatches_GiveTheGradientsOfTheWhole()
    {
        using var model = TinyRun.Model();
        (model.Training, model.DropoutKey) = (true, (1, 0));
        var data = TinyRun.Data(8);
        var whole = Gradients(model, new DataLoader(data, 8).Updates(0, 1).Single());
        var parts = Gradients(model, new DataLoader(data, 2).Updates(0, 4).Single());
        TensorAssert.Close(whole, parts, 1e-6, "gradients");
        Assert.Equal([3, 3, 2], new DataLoader(data, 1).Updates(0, 3).Select(update => update.Count));
    }

    [Fact]
    public void LoopCheckpoint_LoadedInTheMiddle_GoesOnToTheBit()
    {
        using var folder = new TemporaryFolder();
        var (whole, half) = (Loop(0, 6, null, null), Path.Combine(folder.Path, "half"));
        Loop(0, 3, null, half);
        Assert.Equal(whole, Loop(3, 6, half, null));

        using var model = TinyRun.Model();
        using var sgd = new Sgd(model.Weights, 1e-3);
        Assert.Contains("no state of this optimizer", Assert.Throws<AttuneException>(() => LoopCheckpoint.Load(half, model, sgd)).Message, StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(half, "loop_state.json"), "{}");
        using var adam = new AdamW(model.Weights, 1e-3);
        Assert.Contains("loop_state.json", Assert.Throws<AttuneException>(() => LoopCheckpoint.Load(half, model, adam)).Message, StringComparison.Ordinal);
    }

    /// <summary>Both sequences of schedule-free learning go on where they were; within its average a checkpoint would lose one of them.</summary>
    [Fact]
    public void LoopCheckpoint_OfScheduleFreeLearning_GoesOnToTheBit()
    {
        using var folder = new TemporaryFolder();
        static Optimizer Create(WeightStore weights) => new ScheduleFree(weights, 1e-2);
        var (whole, half) = (Loop(0, 6, null, null, Create), Path.Combine(folder.Path, "half"));
        Loop(0, 3, null, half, Create);
        Assert.Equal(whole, Loop(3, 6, half, null, Create));

        using var model = TinyRun.Model();
        using var optimizer = new ScheduleFree(model.Weights);
        using (optimizer.ShowAverage()) Assert.Throws<InvalidOperationException>(() => LoopCheckpoint.Save(half, model, optimizer));
        LoopCheckpoint.Save(half, model, optimizer);
    }

    private static float[] Loop(int from, int to, string? load, string? save, Func<WeightStore, Optimizer>? create = null)
    {
        using var model = TinyRun.Model();
        using var optimizer = create?.Invoke(model.Weights) ?? new AdamW(model.Weights, 1e-3, weightDecay: 0.01);
        if (load is not null) Assert.Equal(from, (int)LoopCheckpoint.Load(load, model, optimizer)["step"]!);
        var loader = new DataLoader(TinyRun.Data(11), 4, Sampler.Random(11, seed: 1));
        model.Training = true;
        for (var step = from; step < to; step++)
        {
            model.DropoutKey = (7, step);
            using var output = model.Forward(loader.Epoch(step / loader.Count).ElementAt(step % loader.Count));
            output.Backward();
            optimizer.Step();
            optimizer.ZeroGrad();
        }
        if (save is not null) LoopCheckpoint.Save(save, model, optimizer, new() { ["step"] = to });
        return TinyRun.Weights(model);
    }

    private static float[] Gradients(BertForSequenceClassification model, IReadOnlyList<Batch> update)
    {
        foreach (var batch in update)
            using (var output = model.Forward(batch)) output.Backward(1.0 / update.Count);
        var gradients = model.Weights.All.SelectMany(weight => weight.Gradient.data<float>().ToArray()).ToArray();
        model.Weights.ClearGradients();
        return gradients;
    }
}
