using System.Diagnostics;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Benchmarks;

/// <summary>How much of what a card can multiply training reaches where its batches are large.</summary>
internal sealed class GpuPeakCheck : GpuCheck
{
    private const int Tokens = 512, BatchSize = 32, First = 10, Timed = 40, RowCount = 2048;
    private const int ProductSize = 8192, ProductRounds = 20;

    /// <summary>Operations a second with bfloat16 that the makers give for the cards, dense.</summary>
    private static readonly (string Card, double Peak)[] Peaks =
    [
        ("H200", 989e12), ("H100 PCIe", 756e12), ("H100 NVL", 835e12), ("H100", 989e12), ("A100", 312e12), ("L40S", 362e12), ("L4", 121e12), ("A10", 125e12), ("RTX 4090", 165e12),
    ];

    internal override string Name => "gpu-peak";

    internal override string Summary => "BERT-large on a graphics card, bf16, packed rows of 512 tokens: operations/s against the card's peak";

    protected override IEnumerable<CheckPart> Measure()
    {
        var config = TrainingSide.Configuration("large");
        var rate = GpuRun.Train(config, GpuRun.Long(RowCount, Tokens), BatchSize, First, Timed).RowsPerSecond * Tokens * OperationsPerToken(config);
        var (peak, source) = Peak(CudaDriver.OfMachine()!.Cards[0].Name);
        yield return new("share of the peak", rate / peak, 0.4, "of the peak", Note: $"{rate / 1e12:F0} of {peak / 1e12:F0} TFLOP/s, {source}");
    }

    /// <summary>Twelve products of H x H a layer, two operations each, thrice with backward; and the two products of attention.</summary>
    private static double OperationsPerToken(Models.BertConfig config)
    {
        double layers = config.NumHiddenLayers, hidden = config.HiddenSize;
        return 6 * 12 * layers * hidden * hidden + 12 * layers * hidden * Tokens;
    }

    private static (double Peak, string Source) Peak(string card)
    {
        foreach (var (name, known) in Peaks)
            if (card.Contains(name, StringComparison.Ordinal)) return (known, "the maker's figure");
        using var one = ones(ProductSize, ProductSize, dtype: ScalarType.BFloat16, device: ComputeDevice.Find(GpuRun.Device).ForTorch);
        one.mm(one).Dispose();
        cuda.synchronize();
        var clock = Stopwatch.StartNew();
        for (var round = 0; round < ProductRounds; round++) one.mm(one).Dispose();
        cuda.synchronize();
        return (2.0 * ProductRounds * Math.Pow(ProductSize, 3) / clock.Elapsed.TotalSeconds, $"that of a product of {ProductSize} x {ProductSize}");
    }
}
