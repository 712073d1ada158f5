namespace Attune.Benchmarks;

/// <summary>What the options that save memory or work cost and save, on long rows, against training without them.</summary>
internal sealed class TrainOptionsCheck : Check
{
    private const int Rounds = 3, RowTokens = 512;
    private const string Rows = "8";
    private const double Gibibyte = 1 << 30;

    internal override string Name => "train-options";

    internal override string Summary => "training BERT-base on 8 rows of 512 tokens: time and peak memory with gradient_checkpointing and freeze, as parts of those without";

    /// <summary>Options and the most that time and peak memory may be.</summary>
    private static readonly (string Options, double Time, double Memory)[] Cases =
    [
        ("gradient_checkpointing", 1.4, 0.7),
        ("freeze=embeddings", 1.1, 1.1),
        ("freeze=layers:6", 0.75, 0.65),
        ("freeze=layers:6,cached", 0.55, 0.65),
        ("freeze=layers:10,cached", 0.2, 0.35),
        ("freeze=base_model", 0.4, 0.3),
        ("freeze=base_model,cached", 0.01, 0.3),
    ];

    protected override IEnumerable<CheckPart> Run()
    {
        using var plain = Side.Start("attune", "base", Rows, "");
        var step = $"options {RowTokens}";
        plain.Ask(step);
        foreach (var (options, mostTime, mostMemory) in Cases)
        {
            using var side = Side.Start("attune", "base", Rows, options);
            side.Ask(step);                                                // compiles, takes memory and, where that is asked for, fills the cache
            List<double> ratios = [], seconds = [], plainSeconds = [];
            for (var round = 0; round < Rounds; round++)
            {
                seconds.Add(Side.Number(side.Ask(step), "seconds"));
                plainSeconds.Add(Side.Number(plain.Ask(step), "seconds"));
                ratios.Add(seconds[^1] / plainSeconds[^1]);
            }
            var (peak, plainPeak) = (Peak(side), Peak(plain));
            Console.WriteLine($"{options}: {Statistics.Median(ratios):F3} of the time, {peak / plainPeak:F3} of the peak");
            yield return new($"{options}: time", Statistics.Median(ratios), mostTime, "of that without", LowerIsBetter: true,
                Note: $"{Statistics.Median(seconds):F2} and {Statistics.Median(plainSeconds):F2} s a step, medians of {Rounds} rounds in turn");
            yield return new($"{options}: peak memory", peak / plainPeak, mostMemory, "of that without", LowerIsBetter: true,
                Note: $"{peak / Gibibyte:F2} and {plainPeak / Gibibyte:F2} GiB");
        }
    }

    private static double Peak(Side side) => side.Ask("peak")["bytes"]!.GetValue<long>();
}
