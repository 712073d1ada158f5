namespace Attune.Benchmarks;

/// <summary>Training an adapter of BERT-base, rank 8 on query and value, against training all of it, on SST-2 in batches of 16.</summary>
internal sealed class LoraStepCheck : Check
{
    private const int Rounds = 5, StepsPerRound = 4;

    private const double Mebibyte = 1 << 20;

    internal override string Name => "lora-step";

    internal override string Summary => "training an adapter of BERT-base (LoRA, rank 8 on query and value) against full tuning: speed and optimizer state";

    protected override IEnumerable<CheckPart> Run()
    {
        Facts["rows"] = Sst2Rows.Take(1).Source;
        using var full = Side.Start("attune", "base", "16");
        using var lora = Side.Start("attune", "base", "16", "lora");
        foreach (var side in (Side[])[full, lora]) side.Ask("step 0 8 0");   // compiled code reaches its last tier in these
        List<double> ratios = [], fullSteps = [], loraSteps = [];
        for (var round = 0; round < Rounds; round++)
        {
            var command = $"step {round * StepsPerRound} {StepsPerRound} 0";
            fullSteps.Add(Side.Number(full.Ask(command), "seconds") / StepsPerRound);
            loraSteps.Add(Side.Number(lora.Ask(command), "seconds") / StepsPerRound);
            ratios.Add(fullSteps[^1] / loraSteps[^1]);
            Console.WriteLine($"round {round + 1}: a full step takes {fullSteps[^1]:F3} s, one of the adapter {loraSteps[^1]:F3} s");
        }
        Facts["full_peak_bytes"] = Bytes(full, "peak");
        Facts["lora_peak_bytes"] = Bytes(lora, "peak");
        yield return new("speed of a step against full tuning", Statistics.Median(ratios), 1.3, "times",
            Note: $"{Statistics.Median(fullSteps):F3} and {Statistics.Median(loraSteps):F3} s, medians of {Rounds} rounds");
        long fullState = Bytes(full, "state"), loraState = Bytes(lora, "state");
        yield return new("optimizer state against full tuning's", 100.0 * loraState / fullState, 2, "%", LowerIsBetter: true,
            Note: $"{loraState / Mebibyte:F1} and {fullState / Mebibyte:F1} MiB");
    }

    private static long Bytes(Side side, string what) => side.Ask(what)["bytes"]!.GetValue<long>();
}
