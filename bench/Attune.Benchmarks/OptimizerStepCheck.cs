namespace Attune.Benchmarks;

/// <summary>AdamW on the weights of BERT-base against a copy of as many bytes.</summary>
internal sealed class OptimizerStepCheck : Check
{
    private const int Rounds = 9;

    internal override string Name => "optimizer-step";

    internal override string Summary => "AdamW on 109 million weights: times as long as a copy of the bytes that it must read and write";

    protected override IEnumerable<CheckPart> Run()
    {
        using var attune = Side.Start("attune", "base", "16");
        using var usual = Side.Start("usual", "base", "16");
        attune.Ask("optimizer");
        usual.Ask("optimizer");
        List<double> ratios = [], steps = [], copies = [], usualSteps = [];
        for (var round = 0; round < Rounds; round++)
        {
            var answer = attune.Ask("optimizer");
            steps.Add(Side.Number(answer, "seconds"));
            copies.Add(Side.Number(answer, "copy_seconds"));
            ratios.Add(steps[^1] / copies[^1]);
            usualSteps.Add(Side.Number(usual.Ask("optimizer"), "seconds"));
        }
        Facts["usual_seconds"] = Statistics.Median(usualSteps);
        yield return new("AdamW", Statistics.Median(ratios), 1.3, "times the copy", LowerIsBetter: true,
            Note: $"{Statistics.Median(steps):F4} and {Statistics.Median(copies):F4} s, medians of {Rounds} rounds");
    }
}
