using System.Diagnostics;
using System.Globalization;

namespace Attune.EndToEndTests;

/// <summary>Runs that are killed at any moment go on from their newest whole checkpoint and end with the weights of the run that was left alone.</summary>
/// <remarks><c>ATTUNE_KILLS</c> says how many kills of each kind; one by default, because each is two runs of the program.</remarks>
public sealed class KillTests(KillTests.UnbrokenRun unbroken) : IClassFixture<KillTests.UnbrokenRun>, IDisposable
{
    private const int DefaultKills = 1;

    private readonly string _folder = Directory.CreateTempSubdirectory("attune-kill-").FullName;

    private static int Kills => Environment.GetEnvironmentVariable("ATTUNE_KILLS") is { Length: > 0 } number ? int.Parse(number, CultureInfo.InvariantCulture) : DefaultKills;

    // The embedded encoder, whose state is large enough to be written in the background and which has dropout; two epochs, two batches an update.
    private static readonly string[] Words =
    [
        "train", "--train-file", "train.csv", "--per-device-train-batch-size", "4", "--gradient-accumulation-steps", "2", "--num-train-epochs", "2",
        "--save-strategy", "steps", "--save-steps", "2", "--save-total-limit", "2", "--logging-strategy", "steps",
        "--logging-steps", "1", "--threads", "1", "--resume-from-checkpoint", "auto", "--eval-strategy", "no",
    ];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Kill_AtARandomMoment_EndsWithTheSameWeightsToTheBit()
    {
        var (whole, seconds) = Unbroken();
        var random = new Random(1);
        for (var i = 0; i < Kills; i++)
        {
            var run = $"random-{i}";
            using (var process = AttuneProcess.Start(_folder, [.. Words, "--output-dir", run]))
            {
                process.WaitFor("step 1 ");
                Thread.Sleep((int)(1000 * seconds * random.NextDouble()));
                process.Signal("KILL");
                _ = process.Wait();
            }
            AssertGoesOn(run, whole);
        }
    }

    [Fact]
    public void Kill_WhileACheckpointIsWritten_EndsWithTheSameWeightsToTheBit()
    {
        var (whole, _) = Unbroken();
        for (var i = 0; i < Kills; i++)
        {
            var run = $"saving-{i}";
            using (var process = AttuneProcess.Start(_folder, [.. Words, "--output-dir", run]))
            {
                // Folders that are not in their place yet; the first is that of update 2.
                var watch = Stopwatch.StartNew();
                while (Unfinished(run, 2 * (i % 3 + 1)) is null && watch.Elapsed < TimeSpan.FromMinutes(1)) Thread.Sleep(1);
                process.Signal("KILL");
                _ = process.Wait();
            }
            AssertGoesOn(run, whole);
        }
    }

    private string? Unfinished(string run, int step)
    {
        var folder = Path.Combine(_folder, run);
        return Directory.Exists(folder) ? Directory.EnumerateDirectories(folder, $".checkpoint-{step}.*.tmp").FirstOrDefault() : null;
    }

    private (string Weights, double Seconds) Unbroken()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no signals.");
        File.Copy(Path.Combine(unbroken.Folder, "train.csv"), Path.Combine(_folder, "train.csv"));
        return (unbroken.Weights, unbroken.Seconds);
    }

    private void AssertGoesOn(string run, string whole)
    {
        AttuneVerb.Run(_folder, [.. Words, "--output-dir", run]).Good();
        Assert.Equal(whole, Weights(run));
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(_folder, run), ".*"));
    }

    private string Weights(string run) => TinyModel.HashOf(Path.Combine(_folder, run));

    /// <summary>The run that is left alone, made once: its weights, and how long it took from its first update on.</summary>
    public sealed class UnbrokenRun : IDisposable
    {
        public UnbrokenRun()
        {
            TinyModel.Csv(Path.Combine(Folder, "train.csv"), 60, seed: 1);
            using var process = AttuneProcess.Start(Folder, [.. Words, "--output-dir", "whole"]);
            process.WaitFor("step 1 ");
            var watch = Stopwatch.StartNew();
            process.Wait().Good();
            (Weights, Seconds) = (TinyModel.HashOf(Path.Combine(Folder, "whole")), watch.Elapsed.TotalSeconds);
        }

        internal string Folder { get; } = Directory.CreateTempSubdirectory("attune-kill-").FullName;

        internal string Weights { get; }

        internal double Seconds { get; }

        public void Dispose() => Directory.Delete(Folder, recursive: true);
    }
}
