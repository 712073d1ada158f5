using Attune.Native;
using Attune.Training;
using static TorchSharp.torch;

namespace Attune.Benchmarks;

/// <summary>What a card's memory goes to.</summary>
internal sealed class GpuMemoryCheck : GpuCheck
{
    private const int Tokens = 512, BatchSize = 32, First = 5, Timed = 20, RowCount = 1024, ProductSize = 1024;
    private const int BytesOfBFloat16 = 2;
    private const double Gibibyte = 1 << 30;

    internal override string Name => "gpu-memory";

    internal override string Summary => "training BERT-base on a graphics card, bf16, batches of 32 rows of 512 tokens: peak memory against weights, gradients, moments and activations";

    protected override IEnumerable<CheckPart> Measure()
    {
        var config = TrainingSide.Configuration("base");
        // CUDA's own, its kernels' and the work space of its products are nobody's part.
        using (var one = ones(ProductSize, ProductSize, dtype: ScalarType.BFloat16, device: ComputeDevice.Find(GpuRun.Device).ForTorch)) one.mm(one).Dispose();
        cuda.synchronize();
        var before = CardContext.UsedBytes(0) ?? throw new AttuneException("The driver does not say how much memory of the card is in use.");
        var memory = GpuRun.Train(config, GpuRun.Long(RowCount, Tokens), BatchSize, First, Timed).Output.Memory!;
        var (peak, parts) = (memory.Card!.Value - before, Parts(memory) + Activations(config));
        yield return new("peak", peak / parts, 1.15, "times the sum of its parts", LowerIsBetter: true,
            Note: $"{peak / Gibibyte:F2} and {parts / Gibibyte:F2} GiB: weights {memory.Weights / Gibibyte:F2}, rounded weights {memory.Weights / 2 / Gibibyte:F2}, gradients {memory.Gradients / Gibibyte:F2}, moments {memory.Optimizer / Gibibyte:F2}, activations {Activations(config) / Gibibyte:F2}");
    }

    /// <summary>With the weights that were rounded to bfloat16.</summary>
    private static double Parts(TrainingMemory memory) => memory.Weights + memory.Weights / 2 + memory.Gradients + memory.Optimizer;

    /// <summary>
    /// Bytes that backward must find again for each token and layer: in bfloat16 input, three projections, context, the two normalised sums and the state between
    /// attention and feed-forward (8 H), and the feed-forward's inner state before and after the activation; a byte for each place of the three dropouts of width H.
    /// </summary>
    private static double Activations(Models.BertConfig config) => (double)BatchSize * Tokens * config.NumHiddenLayers
        * ((8 * config.HiddenSize + 2 * config.IntermediateSize) * BytesOfBFloat16 + 3 * config.HiddenSize);
}
