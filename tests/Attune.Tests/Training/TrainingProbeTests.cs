using Attune.Checkpoints;
using Attune.Tests.Datasets;
using Attune.Training;

namespace Attune.Tests.Training;

[Collection("torch")]
public sealed class TrainingProbeTests
{
    [Fact]
    public void Chosen_OfManySizes_StandForAllOfThem()
    {
        long[] sizes = [.. Enumerable.Range(0, 1000).Select(i => (long)(i * 7919 % 1000))];
        var chosen = SampledBatches.Choose(sizes, 20);
        Assert.Equal(20, chosen.Distinct().Count());
        Assert.Equal(sizes.Average(), chosen.Average(piece => sizes[piece]), 1.0);
        Assert.Equal([2, 0, 1], SampledBatches.Choose([5, 9, 1], 20));
    }

    [Fact]
    public void MeanTime_OfTimesThatGrowWithSize_IsThatOfAll()
    {
        long[] sizes = [10, 20, 30, 40, 1000];
        Assert.Equal(5 + 0.1 * sizes.Average(), SampledBatches.MeanTime(sizes, [0, 1, 3], [6, 7, 9]), 9);
        Assert.Equal(7, SampledBatches.MeanTime(sizes, [0, 1], [8, 6]), 9);            // noise: a line that falls is level
        Assert.Equal(3, SampledBatches.MeanTime([4, 4, 4], [0, 1], [2, 4]), 9);
    }

    [Fact]
    public void Probe_OfARun_MakesItsUpdatesAndLeavesOneCheckpointAtATime()
    {
        using var folder = new TemporaryFolder(inMemory: true);
        using var model = TinyRun.Model();
        var before = TinyRun.Weights(model);
        var arguments = TinyRun.Arguments(folder.Path) with { SaveStrategy = SaveStrategy.Epoch };
        using var probe = new TrainingProbe(new Trainer(model, arguments, TinyRun.Data(11), TinyRun.Data(9, seed: 1)), updates: 2, CancellationToken.None);
        var told = new List<(int, int)>();
        var (each, first) = probe.MeasureUpdates((update, round) => told.Add((update, round)));
        Assert.True(each > 0 && first >= 0);
        Assert.Equal([(1, 0), (2, 0), (1, 1), (2, 1)], told.Take(4));           // and again, for a share of the run's time
        Assert.NotEqual(before, TinyRun.Weights(model));
        Assert.Equal((9L, 2, new RunSchedule(3, 3)), (probe.TotalUpdates, probe.UpdatesMeasured, probe.Schedule));
        var trained = TinyRun.Weights(model);
        Assert.True(probe.MeasureEvaluation(TinyRun.Data(9, seed: 1)) > 0);
        Assert.Equal(trained, TinyRun.Weights(model));                       // an evaluation changes nothing

        var (last, other) = probe.MeasureCheckpoints(several: true);
        Assert.True(last > 0 && other > 0);
        var checkpoint = Assert.Single(CheckpointFiles.All(folder.Path));
        Assert.True(File.Exists(Path.Combine(checkpoint, CheckpointFiles.Manifest)));
        trained = TinyRun.Weights(model);
        model.Weights.Values.zero_();
        Assert.True(probe.MeasureLoading() > 0);
        Assert.Equal(trained, TinyRun.Weights(model));
        Assert.True(probe.MeasureSaving() > 0);
        Assert.Empty(CheckpointFiles.All(folder.Path));
        Assert.True(File.Exists(Path.Combine(folder.Path, CheckpointFiles.Weights)));
    }

    [Fact]
    public void Probe_Cancelled_Ends()
    {
        using var folder = new TemporaryFolder(inMemory: true);
        using var model = TinyRun.Model();
        using var probe = new TrainingProbe(new Trainer(model, TinyRun.Arguments(folder.Path), TinyRun.Data(11), TinyRun.Data(9, seed: 1)), 2, new CancellationToken(canceled: true));
        Assert.Throws<OperationCanceledException>(() => probe.MeasureUpdates((_, _) => { }));
    }
}
