namespace Attune.EndToEndTests;

/// <summary>A job of two processes over two network namespaces as two machines: the bits of one machine, and what becomes of it when the cable is pulled.</summary>
public sealed class MpiNetworkTests : IDisposable
{
    private static readonly string[] Words =
    [
        "train", "--model", "tiny", "--train-file", "train.csv", "--threads", "1", "--report-to", "none", "--learning-rate", "1e-3", "--per-device-train-batch-size", "2",
        "--logging-steps", "1", "--lr-scheduler-type", "constant", "--save-strategy", "steps", "--save-steps", "4", "--ddp-timeout", "5",
    ];

    private readonly string _folder = Directory.CreateTempSubdirectory("attune-net-").FullName;

    public MpiNetworkTests()
    {
        TinyModel.Write(Path.Combine(_folder, "tiny"));
        TinyModel.Csv(Path.Combine(_folder, "train.csv"), 46, seed: 1);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Open MPI waits half a minute for a machine that is gone, so it is tried where there is time.</summary>
    [Theory, MemberData(nameof(MpiTests.Mpich), MemberType = typeof(MpiTests))]
    public void Train_OverTwoMachines_NamesWhomItNoLongerReachesAndGoesOn(string launcher)
    {
        MpiRun.Require(launcher);
        using (var network = MpiNetwork.Require(_folder))
        {
            using var run = network.Start(_folder, launcher, [.. Words, "--max-steps", "1000000", "--output-dir", "run"]);
            run.WaitFor("step 6 ");
            network.Cut();
            var result = run.Wait();
            Assert.NotEqual(0, result.Code);
            Assert.Matches("attune: rank 1 on second has not answered for [0-9]+ seconds in update [0-9]+, so the run is ended", result.Said);
            Assert.NotEmpty(Directory.GetDirectories(Path.Combine(_folder, "run"), "checkpoint-*"));
        }
        // The second machine is back: the next run goes on, and ends with the bits of two processes of one machine that were never cut off.
        var last = Directory.GetDirectories(Path.Combine(_folder, "run"), "checkpoint-*").Max(name => int.Parse(name[(name.LastIndexOf('-') + 1)..], System.Globalization.CultureInfo.InvariantCulture));
        using (var network = MpiNetwork.Require(_folder))
        {
            using var run = network.Start(_folder, launcher, [.. Words, "--max-steps", $"{last + 3}", "--output-dir", "run", "--resume-from-checkpoint", "auto"]);
            run.Wait().Good();
        }
        MpiRun.Run(_folder, launcher, 2, [.. Words, "--max-steps", $"{last + 3}", "--output-dir", "whole"]).Good();
        Assert.Equal(Hash("whole"), Hash("run"));
    }

    private string Hash(string run) => TinyModel.HashOf(Path.Combine(_folder, run));
}
