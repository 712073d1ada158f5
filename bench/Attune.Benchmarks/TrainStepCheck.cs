namespace Attune.Benchmarks;

/// <summary>Training steps of BERT-base on SST-2 against the machine's own limit: its matrix products and the optimizer's bytes, nothing else.</summary>
internal sealed class TrainStepCheck : Check
{
    private const int Rounds = 5, StepsPerRound = 4;

    internal override string Name => "train-step";

    internal override string Summary => "training BERT-base in batches of 16 and 32: share of the machine's limit (products and copies alone)";

    protected override IEnumerable<CheckPart> Run()
    {
        Facts["rows"] = Sst2Rows.Take(1).Source;
        foreach (var batchSize in (int[])[16, 32]) yield return Measure(batchSize);
    }

    private static CheckPart Measure(int batchSize)
    {
        using var attune = Side.Start("attune", "base", $"{batchSize}");
        attune.Ask("step 0 8 0");                                            // compiled code reaches its last tier in these
        List<double> shares = [], steps = [], products = [], optimizers = [];
        for (var round = 0; round < Rounds; round++)
        {
            var answer = attune.Ask($"step {round * StepsPerRound} {StepsPerRound} 0");
            var limit = attune.Ask($"limit {answer["tokens"]!.GetValue<int>() / StepsPerRound}");
            steps.Add(Side.Number(answer, "seconds") / StepsPerRound);
            products.Add(Side.Number(limit, "product_seconds"));
            optimizers.Add(Side.Number(limit, "optimizer_seconds"));
            shares.Add((products[^1] + optimizers[^1]) / steps[^1]);
            Console.WriteLine($"batch {batchSize}, round {round + 1}: a step takes {steps[^1]:F3} s, its products {products[^1]:F3} s at " +
                $"{Side.Number(limit, "product_gflops"):F0} GFLOP/s, the optimizer's bytes {optimizers[^1]:F3} s");
        }
        return new($"share of the limit, batch {batchSize}", Statistics.Median(shares), 0.8, "",
            Note: $"step {Statistics.Median(steps):F3} s, products {Statistics.Median(products):F3} s, optimizer {Statistics.Median(optimizers):F3} s");
    }
}
