namespace Attune.Benchmarks;

/// <summary>Training steps of small models, where overhead counts and not products, against the usual way in the same libtorch.</summary>
internal sealed class TrainStepSmallCheck : Check
{
    private const int Rounds = 7, StepsPerRound = 20;

    internal override string Name => "train-step-small";

    internal override string Summary => "training models of 2 layers of 128 and 4 of 256 in batches of 32: samples/s against padded batches through TorchSharp";

    protected override IEnumerable<CheckPart> Run()
    {
        Facts["rows"] = Sst2Rows.Take(1).Source;
        foreach (var model in (string[])["tiny", "mini"]) yield return Measure(model);
    }

    private static CheckPart Measure(string model)
    {
        using var attune = Side.Start("attune", model, "32");
        using var usual = Side.Start("usual", model, "32");
        // Compiled code reaches its last tier only after some hundred calls.
        attune.Ask("step 0 200 0");
        usual.Ask("step 0 40 0");
        List<double> ratios = [], packed = [], dynamic = [];
        for (var round = 0; round < Rounds; round++)
        {
            var steps = $"step {round * StepsPerRound} {StepsPerRound} 0";
            packed.Add(Side.Rate(attune.Ask(steps)));
            dynamic.Add(Side.Rate(usual.Ask(steps)));
            ratios.Add(packed[^1] / dynamic[^1]);
        }
        return new(model, Statistics.Median(ratios), 6, "times the samples/s",
            Note: $"{Statistics.Median(packed):F0} and {Statistics.Median(dynamic):F0} samples/s, medians of {Rounds} rounds in turn");
    }
}
