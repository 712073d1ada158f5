namespace Attune.Benchmarks;

/// <summary>What two processes of one thread each train in a second against one process of two threads, which is the same number of cores.</summary>
internal sealed class ScalingCheck : Check
{
    private const int Rounds = 3;

    internal override string Name => "scaling";

    internal override string Summary => "BERT-base on two cores: 2 processes of 1 thread against 1 process of 2 threads, at an effective batch of 512 and, with zero_stage 1, of 16";

    protected override IEnumerable<CheckPart> Run()
    {
        var folder = Directory.CreateTempSubdirectory("attune-scaling-").FullName;
        try
        {
            var processes = new Processes(folder);
            yield return Compare(processes, "effective batch of 512", 0.95, updates: 2, rows: 16, accumulation: 32, zero: 0);
            yield return Compare(processes, "effective batch of 16, zero_stage 1", 0.6, updates: 24, rows: 16, accumulation: 1, zero: 1);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private CheckPart Compare(Processes processes, string name, double target, int updates, int rows, int accumulation, int zero)
    {
        List<double> ratios = [];
        List<string> notes = [];
        for (var round = 0; round < Rounds; round++)
        {
            var alone = processes.Train(1, 2, updates, [], "--per-device-train-batch-size", $"{rows}", "--gradient-accumulation-steps", $"{accumulation}");
            var both = processes.Train(2, 1, updates, [], "--per-device-train-batch-size", $"{rows / 2}", "--gradient-accumulation-steps", $"{accumulation}", "--zero-stage", $"{zero}");
            ratios.Add(both.RowsPerSecond / alone.RowsPerSecond);
            notes.Add($"{both.RowsPerSecond:F1} and {alone.RowsPerSecond:F1} rows/s, exchange {both.Exchanged:F1} s, waited {both.Waited:F1} s");
        }
        return new(name, Statistics.Median(ratios), target, "times one process", Note: string.Join("; ", notes));
    }
}
