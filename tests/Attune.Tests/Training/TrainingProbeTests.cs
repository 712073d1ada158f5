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
    public void Probe_OfARun_MeasuresEachPartAndTakesItsUpdates()
    {
        using var folder = new TemporaryFolder(inMemory: true);
        using var model = TinyRun.Model();
        var arguments = TinyRun.Arguments(folder.Path) with { SaveStrategy = SaveStrategy.Epoch };
        using var probe = new TrainingProbe(new Trainer(model, arguments, TinyRun.Data(11), TinyRun.Data(9, seed: 1)), updates: 2, CancellationToken.None);
        var told = new List<int>();
        Assert.True(probe.MeasureUpdates(told.Add) is { Each: > 0, First: >= 0 });
        Assert.Equal([1, 2], told);
        Assert.Equal((9L, 2, new RunSchedule(3, 3)), (probe.TotalUpdates, probe.UpdatesMeasured, probe.Schedule));
        Assert.True(probe.MeasureEvaluation(TinyRun.Data(9, seed: 1)) > 0);
        var (last, other) = probe.MeasureCheckpoints(several: true);
        Assert.True(last > 0 && other > 0 && probe.MeasureLoading() > 0 && probe.MeasureSaving() > 0);
    }

    [Fact]
    public void Probe_Cancelled_Ends()
    {
        using var folder = new TemporaryFolder(inMemory: true);
        using var model = TinyRun.Model();
        using var probe = new TrainingProbe(new Trainer(model, TinyRun.Arguments(folder.Path), TinyRun.Data(11), TinyRun.Data(9, seed: 1)), 2, new CancellationToken(canceled: true));
        Assert.Throws<OperationCanceledException>(() => probe.MeasureUpdates(_ => { }));
    }
}
