namespace Attune.Benchmarks;

/// <summary>Peak memory of training BERT-large in batches of 16.</summary>
internal sealed class TrainMemoryLargeCheck : Check
{
    private const double Gibibyte = 1 << 30;

    internal override string Name => "train-memory-large";

    internal override string Summary => "training BERT-large in batches of 16: peak memory of 20 steps";

    protected override IEnumerable<CheckPart> Run()
    {
        Facts["rows"] = Sst2Rows.Take(1).Source;
        using var attune = Side.Start("attune", "large", "16");
        var answer = attune.Ask("step 0 20 0");
        Facts["samples_per_second"] = Side.Rate(answer);
        yield return new("peak memory", attune.Ask("peak")["bytes"]!.GetValue<long>() / Gibibyte, 7, "GiB", LowerIsBetter: true);
    }
}
