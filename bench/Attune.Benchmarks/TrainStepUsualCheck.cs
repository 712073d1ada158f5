namespace Attune.Benchmarks;

/// <summary>Training steps of BERT-base on SST-2 in batches of 16: Attune against the same libtorch driven the usual way.</summary>
internal sealed class TrainStepUsualCheck : Check
{
    private const int Rounds = 5, StepsPerRound = 4;
    private const double Gibibyte = 1 << 30;

    /// <summary>Where a product reaches the first rate, the usual BERT must reach the second on long batches, else it is no fair peer.</summary>
    private const double ProductRate = 150, PeerRate = 80;

    internal override string Name => "train-step-usual";

    internal override string Summary => "training BERT-base in batches of 16: samples/s against padded batches through TorchSharp, and memory";

    protected override IEnumerable<CheckPart> Run()
    {
        Facts["rows"] = Sst2Rows.Take(1).Source;
        using var attune = Side.Start("attune", "base", "16");
        var parts = OwnLengths(attune).ToList();
        var peak = attune.Ask("peak")["bytes"]!.GetValue<long>() / Gibibyte;
        parts.Add(PaddedTo512(attune));
        parts.Add(new("peak memory", peak, 3, "GiB", LowerIsBetter: true));
        return parts;
    }

    private List<CheckPart> OwnLengths(Side attune)
    {
        using var usual = Side.Start("usual", "base", "16");
        Facts["usual_golden_cases"] = usual.Ask("golden")["cases"]!.GetValue<int>();

        // The first steps compile code and touch memory for the first time; the usual way takes more and more of it for some steps.
        foreach (var side in (Side[])[attune, usual])
        {
            side.Ask("step 0 8 0");
            side.Ask("grouped 0 8");
        }
        List<double> packed = [], dynamic = [], ratios = [], packedGrouped = [], grouped = [], groupedRatios = [], products = [], peers = [];
        for (var round = 0; round < Rounds; round++)
        {
            // The same rows, one side after the other, so that whatever else the machine does meets both.
            var steps = $"step {round * StepsPerRound} {StepsPerRound} 0";
            packed.Add(Side.Rate(attune.Ask(steps)));
            dynamic.Add(Side.Rate(usual.Ask(steps)));
            ratios.Add(packed[^1] / dynamic[^1]);
            steps = $"grouped {round * StepsPerRound} {StepsPerRound}";
            packedGrouped.Add(Side.Rate(attune.Ask(steps)));
            grouped.Add(Side.Rate(usual.Ask(steps)));
            groupedRatios.Add(packedGrouped[^1] / grouped[^1]);
            products.Add(attune.Ask("gemm")["gflops"]!.GetValue<double>());
            Console.WriteLine($"round {round + 1}: packed {packed[^1]:F1} samples/s, padded to the longest row {dynamic[^1]:F2}; " +
                $"grouped by length {packedGrouped[^1]:F1} and {grouped[^1]:F2}; " +
                $"product {products[^1]:F0} GFLOP/s");
        }
        for (var round = 0; round < 3; round++) peers.Add(usual.Ask("long")["gflops"]!.GetValue<double>());
        var (product, peer) = (Statistics.Median(products), Statistics.Median(peers));
        (Facts["product_gflops"], Facts["usual_long_batches_gflops"]) = (product, peer);
        if (product >= ProductRate && peer < PeerRate)
            throw new AttuneException($"The usual BERT reaches {peer:F0} GFLOP/s on long batches where a product reaches {product:F0}: " +
                "it is no fair peer, and the check says nothing.");
        return
        [
            new("against dynamic padding", Statistics.Median(ratios), 4.5, "times the samples/s",
                Note: $"{Statistics.Median(packed):F2} and {Statistics.Median(dynamic):F3} samples/s, medians of {Rounds} rounds in turn"),
            new("against rows grouped by length", Statistics.Median(groupedRatios), 3, "times the samples/s",
                Note: $"{Statistics.Median(packedGrouped):F2} and {Statistics.Median(grouped):F3} samples/s on the same batches"),
        ];
    }

    /// <summary>A minute a step, and most of a machine's memory, so in a process that has done nothing else: the second of two counts.</summary>
    private CheckPart PaddedTo512(Side attune)
    {
        using var usual = Side.Start("usual", "base", "16");
        usual.Ask("step 0 1 512");
        var before = Side.Rate(attune.Ask($"step 0 {2 * StepsPerRound} 0"));
        var full = Side.Rate(usual.Ask("step 1 1 512"));
        var around = (before + Side.Rate(attune.Ask($"step 0 {2 * StepsPerRound} 0"))) / 2;
        Facts["usual_peak_gib"] = usual.Ask("peak")["bytes"]!.GetValue<long>() / Gibibyte;
        return new("against padding to 512", around / full, 45, "times the samples/s", Note: $"{around:F2} and {full:F4} samples/s");
    }
}
