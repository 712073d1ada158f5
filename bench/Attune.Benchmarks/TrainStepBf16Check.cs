using Attune.Native;

namespace Attune.Benchmarks;

/// <summary>Training steps and predictions of BERT-base with products in bfloat16 against float32, and what it does to the loss.</summary>
internal sealed class TrainStepBf16Check : Check
{
    private const int Rounds = 5, StepsPerRound = 4, LossSteps = 200, LossWindow = 20, PredictedRows = 512;
    private const double Faster = 1.6;

    internal override string Name => "train-step-bf16";

    internal override string Summary => "training and predicting BERT-base with products in bfloat16: samples/s against float32, and the loss of 200 steps";

    protected override IEnumerable<CheckPart> Run()
    {
        if (!Processor.HasBFloat16) throw new AttuneException("This processor has no instructions for bfloat16 (AVX512_BF16 or AMX).");
        Facts["rows"] = Sst2Rows.Take(1).Source;
        foreach (var batchSize in (int[])[16, 32])
        {
            using var exact = Side.Start("attune", "base", $"{batchSize}");
            using var rounded = Side.Start("attune", "base", $"{batchSize}", "bf16");
            yield return Compare($"training, batch {batchSize}", exact, rounded, round => $"step {round * StepsPerRound} {StepsPerRound} 0");
            if (batchSize == 32) yield return Compare("predicting", exact, rounded, round => $"predict {round * PredictedRows} {PredictedRows}");
        }
        yield return Loss();
    }

    private static CheckPart Compare(string what, Side exact, Side rounded, Func<int, string> command)
    {
        for (var warmUp = 0; warmUp < 2; warmUp++)
        {
            exact.Ask(command(0));
            rounded.Ask(command(0));
        }
        List<double> ratios = [], exactRates = [], roundedRates = [];
        for (var round = 0; round < Rounds; round++)
        {
            exactRates.Add(Side.Rate(exact.Ask(command(round))));
            roundedRates.Add(Side.Rate(rounded.Ask(command(round))));
            ratios.Add(roundedRates[^1] / exactRates[^1]);
        }
        return new(what, Statistics.Median(ratios), Faster, "times the samples/s",
            Note: $"{Statistics.Median(roundedRates):F1} and {Statistics.Median(exactRates):F1} samples/s, medians of {Rounds} rounds in turn");
    }

    private static CheckPart Loss()
    {
        using var exact = Side.Start("attune", "base", "16");
        using var rounded = Side.Start("attune", "base", "16", "bf16");
        List<double> distances = [];
        for (var step = 0; step < LossSteps; step += LossWindow)
        {
            var steps = $"step {step} {LossWindow} 0";
            distances.Add(Math.Abs(Side.Number(exact.Ask(steps), "mean_loss") - Side.Number(rounded.Ask(steps), "mean_loss")));
        }
        return new("loss", distances.Max(), 2e-2, "from float32's", LowerIsBetter: true, Note: $"largest difference of the means of {LossWindow} steps, in {LossSteps} steps");
    }
}
