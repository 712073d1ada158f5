namespace Attune.Benchmarks;

/// <summary>Batches that fill a card: 16k tokens, against the form that people copy, in which every row has 512 columns.</summary>
internal sealed class GpuTokensCheck : GpuCheck
{
    // SST-2 has 13.3 tokens a row, so these are 16k tokens.
    private const int BatchSize = 1230, First = 20, Timed = 100, RowCount = 32_768;

    internal override string Name => "gpu-tokens-16k";

    internal override string Summary => "BERT-base on a graphics card, bf16, SST-2 in batches of 1,230 rows (16k tokens): rows/s against the how-to's form, padded to 512";

    protected override IEnumerable<CheckPart> Measure()
    {
        var attune = GpuRun.Train(TrainingSide.Configuration("base"), GpuRun.Short(RowCount), BatchSize, First, Timed).RowsPerSecond;
        var theirs = GpuTransformers.RowsPerSecond("howto", attune);
        yield return new("16k tokens", attune / theirs, 25, "times the how-to's form", Note: $"{attune:F0} and {theirs:F0} rows/s, an update of {BatchSize} rows against one of 32");
    }
}
