namespace Attune.Benchmarks;

/// <summary>Predicting SST-2's sentences with BERT-base against the products of the forward pass alone.</summary>
internal sealed class PredictCheck : Check
{
    private const int Rounds = 5, RowsPerRound = 256;

    internal override string Name => "predict";

    internal override string Summary => "predicting with BERT-base in batches of 32: share of the forward pass's limit (its products alone)";

    protected override IEnumerable<CheckPart> Run()
    {
        Facts["rows"] = Sst2Rows.Take(1).Source;
        using var attune = Side.Start("attune", "base", "32");
        attune.Ask($"predict 0 {RowsPerRound}");
        List<double> shares = [], rates = [];
        for (var round = 0; round < Rounds; round++)
        {
            var rows = $"{round * RowsPerRound} {RowsPerRound}";
            var answer = attune.Ask($"predict {rows}");
            rates.Add(Side.Rate(answer));
            shares.Add(Side.Number(attune.Ask($"predict-limit {rows}"), "seconds") / Side.Number(answer, "seconds"));
        }
        yield return new("share of the limit", Statistics.Median(shares), 0.9, "", Note: $"{Statistics.Median(rates):F1} sentences/s, medians of {Rounds} rounds");
    }
}
