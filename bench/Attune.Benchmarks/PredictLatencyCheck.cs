namespace Attune.Benchmarks;

/// <summary>How long one sentence takes with BERT-base, against the products of its shapes alone.</summary>
internal sealed class PredictLatencyCheck : Check
{
    private const int Sentences = 60;

    internal override string Name => "predict-latency";

    internal override string Summary => "predicting one sentence with BERT-base: times as long as its products alone";

    protected override IEnumerable<CheckPart> Run()
    {
        Facts["rows"] = Sst2Rows.Take(1).Source;
        using var attune = Side.Start("attune", "base", "1");
        attune.Ask($"predict 0 {Sentences}");
        List<double> ratios = [], times = [];
        for (var sentence = 0; sentence < Sentences; sentence++)
        {
            times.Add(Side.Number(attune.Ask($"predict {sentence} 1"), "seconds"));
            ratios.Add(times[^1] / Side.Number(attune.Ask($"predict-limit {sentence} 1"), "seconds"));
        }
        yield return new("one sentence", Statistics.Median(ratios), 1.3, "times its products", LowerIsBetter: true,
            Note: $"{Statistics.Median(times) * 1e3:F1} ms, median of {Sentences} sentences");
    }
}
