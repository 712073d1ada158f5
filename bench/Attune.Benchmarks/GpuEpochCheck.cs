namespace Attune.Benchmarks;

/// <summary>What the how-to does, an epoch of it.</summary>
internal sealed class GpuEpochCheck : GpuCheck
{
    private const int BatchSize = 16, First = 10, Timed = 50;

    internal override string Name => "gpu-epoch";

    internal override string Summary => "an epoch of SST-2 with BERT-base on a graphics card, bf16, at the how-to's batch of 16: seconds";

    protected override IEnumerable<CheckPart> Measure()
    {
        var (config, data) = (TrainingSide.Configuration("base"), GpuRun.Short(GpuRun.Sst2Count));
        _ = GpuRun.Train(config, data, BatchSize, First, Timed);             // a program that has trained before: libraries and kernels are loaded
        var seconds = GpuRun.Epoch(config, data, BatchSize);
        yield return new("one epoch", seconds, 25, "s", LowerIsBetter: true, Note: $"{data.Count} rows in batches of {BatchSize}, {data.Count / seconds:F0} rows/s");
    }
}
