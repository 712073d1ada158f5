using Attune.Models;

namespace Attune.Benchmarks;

/// <summary>Peak memory of training BERT-base in batches of 16 against what must be held, and whether it stays there.</summary>
internal sealed class MemoryCheck : Check
{
    private const double Gibibyte = 1 << 30;
    private const int SettledAfter = 200, Steps = 2000;

    /// <summary>Bytes of each weight: value, gradient and two moments.</summary>
    private const int BytesPerWeight = 4 * sizeof(float);

    internal override string Name => "memory";

    internal override string Summary => "training BERT-base in batches of 16 for 2,000 steps: peak memory against weights, gradients, moments and activations (half an hour)";

    protected override IEnumerable<CheckPart> Run()
    {
        Facts["rows"] = Sst2Rows.Take(1).Source;
        using var attune = Side.Start("attune", "base", "16");
        var (mostTokens, settled) = (0, 0.0);
        for (var step = 0; step < Steps; step += SettledAfter)
        {
            mostTokens = Math.Max(mostTokens, attune.Ask($"step {step} {SettledAfter} 0")["most_tokens"]!.GetValue<int>());
            if (step == 0) settled = Peak(attune);
            Console.WriteLine($"after {step + SettledAfter} steps: {Peak(attune):F3} GiB");
        }
        var needed = (BytesPerWeight * (double)attune.Ask("weights")["count"]!.GetValue<long>() + Activations(TrainingSide.Configuration("base"), mostTokens)) / Gibibyte;
        yield return new("peak", Peak(attune) / needed, 1.25, "times what must be held", LowerIsBetter: true,
            Note: $"{Peak(attune):F3} and {needed:F3} GiB, with {mostTokens} tokens in the largest batch");
        yield return new($"growth from step {SettledAfter} to {Steps}", Peak(attune) / settled, 1.02, "times", LowerIsBetter: true);
    }

    /// <summary>
    /// Bytes that backward must find again for each token and layer: input, three projections, context, the two normalised sums, the state
    /// between attention and feed-forward (8 H), and the feed-forward's inner state before and after the activation.
    /// </summary>
    private static double Activations(BertConfig config, int tokens) =>
        (double)tokens * config.NumHiddenLayers * (8 * config.HiddenSize + 2 * config.IntermediateSize) * sizeof(float);

    private static double Peak(Side side) => side.Ask("peak")["bytes"]!.GetValue<long>() / Gibibyte;
}
