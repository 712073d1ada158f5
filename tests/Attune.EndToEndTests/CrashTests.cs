using System.Globalization;
using Attune.Checkpoints;

namespace Attune.EndToEndTests;

/// <summary>Checkpoints survive a kill at any file-system call, an error of any of them, and the loss of whatever was not forced to the disk.</summary>
/// <remarks><c>ATTUNE_CALLS=all</c> tries every call, <c>each</c> one of each kind, and by default a few are tried, because each is two runs of the program.</remarks>
public sealed class CrashTests(CrashTests.TracedRun traced) : IClassFixture<CrashTests.TracedRun>
{
    // Three checkpoints, of which one stays.
    private static readonly string[] Words =
    [
        "train", "--model", "tiny", "--train-file", "train.csv", "--threads", "1", "--max-steps", "6", "--save-strategy", "steps", "--save-steps", "2",
        "--save-total-limit", "1", "--no-token-cache", "--resume-from-checkpoint", "auto", "--output-dir", "run",
    ];

    private readonly string _folder = traced.Folder;

    private string Run => traced.Run;

    [Fact]
    public void Kill_AtEveryCall_GoesOnToTheSameWeights()
    {
        LongForm.Require("Kills the program many times");
        SystemCalls.Require();
        foreach (var (call, number) in Points(SystemCalls.Changing, ["fsync", "rename"]))
        {
            SystemCalls.Inject(_folder, Words, call, number, "signal=SIGKILL");
            AssertGoesOn($"killed at {call} {number}");
        }
    }

    [Fact]
    public void Error_OfEveryCall_LosesNothing()
    {
        SystemCalls.Require();
        string[] errors = ["ENOSPC", "EIO", "EDQUOT"];
        foreach (var (i, (call, number)) in Points(["pwrite64", "fsync", "rename"], ["pwrite64"]).Index())
        {
            var what = $"{errors[i % errors.Length]} at {call} {number}";
            var result = SystemCalls.Inject(_folder, Words, call, number, $"error={errors[i % errors.Length]}");
            Assert.True(result.Code is 0 or 1, $"{what}: {result.Error}");
            Assert.DoesNotContain("a fault of Attune", result.Error, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
            if (result.Code == 0 && File.Exists(Path.Combine(Run, "model.safetensors"))) Assert.True(traced.Weights == Weights(), what);
            AssertGoesOn(what);
        }
    }

    [Fact]
    public void PowerCut_AtAnyCall_LosesNoCommittedCheckpoint()
    {
        SystemCalls.Require();
        var crashes = LongForm.IsAsked ? 1000 : 300;
        var (disk, random, states, committed) = (new LossyDisk(Run), new Random(1), 0, new Dictionary<long, IReadOnlyDictionary<string, byte[]>>());
        var (renamed, newest, here) = ((long?)null, 0L, traced.Calls.Where(call => call.Path.StartsWith(Run, StringComparison.Ordinal)).ToList());
        Assert.True(here.Count > 100, $"only {here.Count} calls were seen");
        foreach (var (i, call) in here.Index())
        {
            disk.Apply(call);
            if (call.Name == "rename" && CheckpointFiles.Step(call.Other) is { } step)
            {
                renamed = step;
                committed[step] = disk.Files(Path.GetFileName(call.Other));
            }
            if (call.Name == "fsync" && call.Path == Run && renamed is not null) newest = renamed.Value;
            for (; states < crashes * (i + 1) / here.Count; states++) AssertNothingLost(disk, random, committed, newest, $"call {i}, {call.Name} {call.Path}");
        }
        Assert.Equal((crashes, 6), (states, newest));
    }

    private void AssertNothingLost(
        LossyDisk disk, Random random, Dictionary<long, IReadOnlyDictionary<string, byte[]>> committed, long newest, string what)
    {
        var left = Path.Combine(_folder, "left");
        Directory.CreateDirectory(left);
        disk.Crash(left, random);
        Checkpoint.CleanUp(left);
        var found = Checkpoint.Find("auto", left, _ => { });
        var step = found is null ? 0 : CheckpointFiles.Step(found)!.Value;
        Assert.True(step >= newest, $"after {what}: checkpoint {step} is there, and {newest} was committed");
        if (found is not null)
            foreach (var (name, content) in committed[step]) Assert.True(content.AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(found, name))), $"after {what}: {name}");
        Directory.Delete(left, recursive: true);
    }

    /// <summary>Every call, one of each of some kinds, or one of each of a few.</summary>
    private IEnumerable<(string Call, int Number)> Points(string[] kinds, string[] few)
    {
        var counts = SystemCalls.Changing.ToDictionary(name => name, name => traced.Calls.Count(call => call.Name == (name == "pwrite64" ? "write" : name)));
        var asked = Environment.GetEnvironmentVariable("ATTUNE_CALLS");
        if (asked == "all") return counts.SelectMany(call => Enumerable.Range(1, call.Value), (call, number) => (call.Key, number));
        var random = new Random(2);
        return (asked == "each" ? kinds : few).Select(call => (call, random.Next(1, counts[call] + 1))).ToList();
    }

    private void AssertGoesOn(string what)
    {
        var result = AttuneVerb.Run(_folder, [.. Words, "--overwrite-output-dir"]);
        Assert.True(result.Code == 0, string.Create(CultureInfo.InvariantCulture, $"{what}: exit code {result.Code}, {result.Error}"));
        Assert.True(traced.Weights == Weights(), $"{what}: other weights");
        Assert.Equal([], Directory.GetFileSystemEntries(Run, ".*"));
        Directory.Delete(Run, recursive: true);
    }

    private string Weights() => TinyModel.HashOf(Run);

    /// <summary>The run without a fault, made once under strace: its calls that change files, and its weights. Its folder is gone after that.</summary>
    public sealed class TracedRun : IDisposable
    {
        public TracedRun()
        {
            TinyModel.Write(Path.Combine(Folder, "tiny"));
            TinyModel.Csv(Path.Combine(Folder, "train.csv"), 32, seed: 1);
            if (!SystemCalls.CanTrace) return;
            Calls = SystemCalls.Trace(Folder, Words);
            Weights = TinyModel.HashOf(Run);
            Directory.Delete(Run, recursive: true);
        }

        internal string Folder { get; } = Directory.CreateTempSubdirectory("attune-crash-").FullName;

        internal string Run => Path.Combine(Folder, "run");

        internal IReadOnlyList<FileCall> Calls { get; } = [];

        internal string Weights { get; } = "";

        public void Dispose() => Directory.Delete(Folder, recursive: true);
    }
}
