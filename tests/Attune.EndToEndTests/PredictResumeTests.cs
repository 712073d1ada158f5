using System.Diagnostics;
using System.Globalization;

namespace Attune.EndToEndTests;

/// <summary>Predictions that are killed, stopped or out of space go on where they were, and end with the bytes of those that were left alone.</summary>
/// <remarks><c>ATTUNE_KILLS</c> and <c>ATTUNE_CALLS</c> as for training.</remarks>
public sealed class PredictResumeTests(TrainedRun run, PredictResumeTests.UnbrokenAnswers unbroken) : IClassFixture<PredictResumeTests.UnbrokenAnswers>, IDisposable
{
    private const int DefaultKills = 1, Rows = 40_000;
    private readonly string _folder = Directory.CreateTempSubdirectory("attune-predict-").FullName;

    private static int Kills => Environment.GetEnvironmentVariable("ATTUNE_KILLS") is { Length: > 0 } number ? int.Parse(number, CultureInfo.InvariantCulture) : DefaultKills;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("csv")]
    [InlineData("json")]
    [InlineData("parquet")]
    public void Kill_AtARandomMoment_EndsWithTheSameBytes(string form)
    {
        LongForm.RequireUnless(form == "csv");
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no signals.");
        var whole = Unbroken(form, Rows, out var time);
        var (random, output) = (new Random(1), Path.Combine(_folder, $"a.{form}"));
        for (var i = 0; i < Kills; i++)
        {
            for (var tries = 0; tries < 3; tries++)
            {
                using var process = AttuneProcess.Start(_folder, Words($"a.{form}"));
                if (tries > 0 || i % 2 == 0) WaitForFile(output + ".partial.json");
                Thread.Sleep((int)(random.NextDouble() * time.TotalMilliseconds / 2));
                process.Signal("KILL");
                _ = process.Wait();
            }
            var result = AttuneVerb.Run(_folder, Words($"a.{form}")).Good();
            AssertSame(whole, output, result.Error);
        }
    }

    [Fact]
    public void Kill_AtAFileSystemCall_EndsWithTheSameBytes()
    {
        SystemCalls.Require();
        const int rows = 3000;
        var whole = Unbroken("csv", rows, out _);
        var output = Path.Combine(_folder, "a.csv");
        foreach (var (call, number) in Calls())
        {
            SystemCalls.Inject(_folder, Words("a.csv"), call, number, "signal=SIGKILL");
            var left = AttuneVerb.Run(_folder, Words("a.csv")).Good();
            AssertSame(whole, output, $"killed at {call} {number}: {left.Error}");
        }

        IEnumerable<(string Call, int Number)> Calls()
        {
            var asked = Environment.GetEnvironmentVariable("ATTUNE_CALLS");
            string[] kinds = asked is "all" or "each" ? ["pwrite64", "fsync", "rename", "unlink"] : ["fsync", "rename"];
            var most = asked == "all" ? 12 : 1;
            return kinds.SelectMany(call => Enumerable.Range(1, most).Select(number => (call, number)));
        }
    }

    [Theory]
    [InlineData("INT", 130)]
    [InlineData("TERM", 75)]
    public void Signal_SavesAndSaysHowToGoOn(string signal, int code)
    {
        LongForm.RequireUnless(signal == "TERM");
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no signals.");
        var whole = Unbroken("csv", Rows, out _);
        var output = Path.Combine(_folder, "a.csv");
        using (var process = AttuneProcess.Start(_folder, Words("a.csv")))
        {
            WaitForFile(output + ".partial.json");
            process.Signal(signal);
            var stopped = process.Wait();
            Assert.Equal((code, ""), (stopped.Code, stopped.Out));
            Assert.Contains("Stopping and saving the answers so far", stopped.Error, StringComparison.Ordinal);
            Assert.Matches(@"\nStopped: a\.csv\.partial keeps the first [0-9,]+ answers; the same command goes on from there\.\n$", stopped.Error);
        }
        Assert.False(File.Exists(output));
        var refused = AttuneVerb.Run(_folder, [.. Words("a.csv"), "--top-k", "1"]);
        Assert.Equal(1, refused.Code);
        Assert.Matches(@"attune: a\.csv\.partial holds [0-9,]+ answers of an unfinished run with another --top-k; give the same to go on with it, or --no-resume to begin anew\.\n$", refused.Error);
        var model = run.Copy(Path.Combine(_folder, "other"));
        File.WriteAllText(Path.Combine(model, "attune_prediction.json"), "{\"temperature\": 2}");
        Assert.Contains("of an unfinished run with another model; ", AttuneVerb.Run(_folder, [.. Words("a.csv"), "--model", "other"]).Error, StringComparison.Ordinal);
        var resumed = AttuneVerb.Run(_folder, Words("a.csv")).Good();
        Assert.Matches(@"\nGoes on after row [0-9,]+, from a\.csv\.partial\.\n", resumed.Error);
        AssertSame(whole, output, resumed.Error);
    }

    [Theory]
    [InlineData("csv")]
    [InlineData("parquet")]
    public void FullDisk_KeepsWhatThereIs_AndGoesOnWithRoom(string form)
    {
        LongForm.RequireUnless(form == "csv");
        var disk = Path.Combine(_folder, "disk");
        Directory.CreateDirectory(disk);
        Assert.SkipUnless(OperatingSystem.IsLinux() && Sh($"mount -t tmpfs -o size=700k tmpfs '{disk}'") == 0, "A small disk needs the right to mount one.");
        try
        {
            var whole = Unbroken(form, Rows, out _);
            var full = AttuneVerb.Run(_folder, Words($"disk/a.{form}"));
            Assert.Equal(1, full.Code);
            Assert.Matches($@"attune: disk/a\.{form}[.a-z]* cannot be written: no space is left on the disk; free some space or choose another folder\.\n$", full.Error);
            Assert.DoesNotContain("   at ", full.Error, StringComparison.Ordinal);
            Assert.Equal(0, Sh($"mount -o remount,size=64m '{disk}'"));
            AssertSame(whole, Path.Combine(disk, $"a.{form}"), AttuneVerb.Run(_folder, Words($"disk/a.{form}")).Good().Error);
        }
        finally
        {
            Sh($"umount '{disk}'");
        }
    }

    [Fact]
    public void StandardInput_KilledAndGivenAgain_GoesOn()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no signals.");
        TinyModel.NumberedCsv(Path.Combine(_folder, "rows.csv"), Rows, seed: 6);
        var input = string.Concat(File.ReadLines(Path.Combine(_folder, "rows.csv")).Skip(1).Select(line => line.Split(',')[1] + "\n"));
        string[] words = ["predict", "--model", run.Model, "--threads", "1", "--output-file"];
        AttuneVerb.Run(_folder, [.. words, "whole.txt"], input).Good();
        // It waits for more when it has read most of it, and is killed then.
        using (var process = AttuneProcess.StartWithOpenInput(_folder, [.. words, "a.txt"], input[..(input.Length / 10 * 9)]))
        {
            WaitForFile(Path.Combine(_folder, "a.txt.partial.json"));
            process.Signal("KILL");
            _ = process.Wait();
        }
        var resumed = AttuneVerb.Run(_folder, [.. words, "a.txt"], input).Good();
        Assert.Contains("Goes on after row ", resumed.Error, StringComparison.Ordinal);
        AssertSame(File.ReadAllBytes(Path.Combine(_folder, "whole.txt")), Path.Combine(_folder, "a.txt"), resumed.Error);
    }

    private string[] Words(string output) => Words(run, output);

    private static string[] Words(TrainedRun run, string output) =>
        ["predict", "--model", run.Model, "--file", "rows.csv", "--keep-columns", "id", "text", "--threads", "1", "--output-file", output];

    private byte[] Unbroken(string form, int rows, out TimeSpan time)
    {
        (var whole, time) = unbroken.Of(form, rows);
        TinyModel.NumberedCsv(Path.Combine(_folder, "rows.csv"), rows, seed: 6);
        return whole;
    }

    private static void AssertSame(byte[] whole, string output, string what)
    {
        Assert.True(whole.AsSpan().SequenceEqual(File.ReadAllBytes(output)), what);
        Assert.Equal([output], Directory.GetFiles(Path.GetDirectoryName(output)!, Path.GetFileName(output) + "*"));
        File.Delete(output);
    }

    private static void WaitForFile(string path)
    {
        for (var watch = Stopwatch.StartNew(); !File.Exists(path); Thread.Sleep(1)) Assert.True(watch.Elapsed < TimeSpan.FromMinutes(1), $"{path} never came.");
    }

    private static int Sh(string command)
    {
        using var process = Process.Start(new ProcessStartInfo("sh", ["-c", command]) { RedirectStandardError = true })!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode;
    }

    /// <summary>The answers of predictions that were left alone, and how long they took: of each form and number of rows once.</summary>
    public sealed class UnbrokenAnswers(TrainedRun run) : IDisposable
    {
        private readonly string _folder = Directory.CreateTempSubdirectory("attune-predict-").FullName;
        private readonly Dictionary<(string Form, int Rows), (byte[] Whole, TimeSpan Time)> _made = [];

        public void Dispose() => Directory.Delete(_folder, recursive: true);

        internal (byte[] Whole, TimeSpan Time) Of(string form, int rows)
        {
            if (_made.TryGetValue((form, rows), out var made)) return made;
            run.Result.Good();
            TinyModel.NumberedCsv(Path.Combine(_folder, "rows.csv"), rows, seed: 6);
            var watch = Stopwatch.StartNew();
            AttuneVerb.Run(_folder, Words(run, $"whole.{form}")).Good();
            return _made[(form, rows)] = (File.ReadAllBytes(Path.Combine(_folder, $"whole.{form}")), watch.Elapsed);
        }
    }
}
