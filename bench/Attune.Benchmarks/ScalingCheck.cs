namespace Attune.Benchmarks;

/// <summary>What two processes of one thread each train in a second against one process of two threads, which is the same number of cores.</summary>
internal sealed class ScalingCheck : Check
{
    /// <summary>As a user sets it for the memory of a process: what an update has besides is accumulated.</summary>
    private const int MostRowsOfABatch = 16;

    private const int Rounds = 3;

    internal override string Name => "scaling";

    internal override string Summary => "BERT-base on two cores: 2 processes of 1 thread against 1 process of 2 threads, at an effective batch of 512 and, with zero_stage 1, of 16";

    protected override IEnumerable<CheckPart> Run()
    {
        var folder = Directory.CreateTempSubdirectory("attune-scaling-").FullName;
        try
        {
            var processes = new Processes(folder);
            yield return Compare(processes, "effective batch of 512, zero_stage 1", 0.95, updates: 2, rows: 512);
            yield return Compare(processes, "effective batch of 16, zero_stage 1", 0.6, updates: 24, rows: 16);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <param name="processes">Runs them.</param>
    /// <param name="name">Of the comparison.</param>
    /// <param name="target">Of the ratio.</param>
    /// <param name="updates">Of each run.</param>
    /// <param name="rows">Of an update.</param>
    private static CheckPart Compare(Processes processes, string name, double target, int updates, int rows)
    {
        List<double> ratios = [];
        List<string> notes = [];
        for (var round = 0; round < Rounds; round++)
        {
            var alone = processes.Train(1, 2, updates, [], Batches(1));
            var both = processes.Train(2, 1, updates, [], [.. Batches(2), "--zero-stage", "1"]);
            ratios.Add(both.RowsPerSecond / alone.RowsPerSecond);
            notes.Add($"{both.RowsPerSecond:F1} and {alone.RowsPerSecond:F1} rows/s, exchange {both.Exchanged:F1} s, waited {both.Waited:F1} s");
        }
        return new(name, Statistics.Median(ratios), target, "times one process", Note: string.Join("; ", notes));

        string[] Batches(int count)
        {
            var batch = Math.Min(MostRowsOfABatch, rows / count);
            return ["--per-device-train-batch-size", $"{batch}", "--gradient-accumulation-steps", $"{rows / count / batch}"];
        }
    }
}
