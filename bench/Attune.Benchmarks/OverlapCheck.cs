namespace Attune.Benchmarks;

/// <summary>How much of the exchange of gradients is hidden behind backward where the link is slow.</summary>
internal sealed class OverlapCheck : Check
{
    private const string Megabits = "2000", Remedy = "install iproute2, and run as root";

    internal override string Name => "overlap";

    internal override string Summary => "BERT-base, 2 processes over the loopback slowed to 2 Gbit/s: share of the exchange that is hidden behind backward";

    protected override IEnumerable<CheckPart> Run()
    {
        var folder = Directory.CreateTempSubdirectory("attune-overlap-").FullName;
        try
        {
            var processes = new Processes(folder);
            string[] network = ["--mca", "btl", "self,tcp", "--mca", "btl_tcp_if_include", "lo"];
            Command.Run(Remedy, ["tc", "qdisc", "add", "dev", "lo", "root", "tbf", "rate", $"{Megabits}mbit", "burst", "512kb", "latency", "100ms"]);
            (double, double Exchanged, double Waited) run;
            try
            {
                run = processes.Train(2, 1, 8, network, "--per-device-train-batch-size", "64");
            }
            finally
            {
                Command.Run(Remedy, ["tc", "qdisc", "del", "dev", "lo", "root"]);
            }
            yield return new("hidden behind backward", 1 - run.Waited / run.Exchanged, 0.7, "of the exchange", Note: $"exchange {run.Exchanged:F1} s, waited {run.Waited:F1} s");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
