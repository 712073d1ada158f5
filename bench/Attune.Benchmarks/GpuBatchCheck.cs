namespace Attune.Benchmarks;

/// <summary>Small batches: what the Trainer of transformers gets with dynamic padding.</summary>
internal sealed class GpuBatchCheck : GpuCheck
{
    private const int BatchSize = 32, First = 50, Timed = 400, RowCount = 16_384;

    internal override string Name => "gpu-batch-32";

    internal override string Summary => "BERT-base on a graphics card, bf16, SST-2 in batches of 32: rows/s against the Trainer of transformers with dynamic padding";

    protected override IEnumerable<CheckPart> Measure()
    {
        var attune = GpuRun.Train(TrainingSide.Configuration("base"), GpuRun.Short(RowCount), BatchSize, First, Timed).RowsPerSecond;
        var theirs = GpuTransformers.RowsPerSecond("dynamic", attune);
        yield return new("batch 32", attune / theirs, 3, "times transformers with dynamic padding", Note: $"{attune:F0} and {theirs:F0} rows/s");
    }
}
