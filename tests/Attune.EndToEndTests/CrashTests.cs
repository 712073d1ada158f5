using System.Globalization;
using System.Security.Cryptography;
using Attune.Checkpoints;

namespace Attune.EndToEndTests;

/// <summary>Checkpoints survive a kill at any file-system call, an error of any of them, and the loss of whatever was not forced to the disk.</summary>
/// <remarks><c>ATTUNE_CALLS=all</c> tries every call; by default some of each kind are, because each is a run of the program.</remarks>
public sealed class CrashTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("attune-crash-").FullName;

    // Three checkpoints, of which one stays.
    private static readonly string[] Words =
    [
        "train", "--model", "tiny", "--train-file", "train.csv", "--threads", "1", "--max-steps", "6", "--save-strategy", "steps", "--save-steps", "2",
        "--save-total-limit", "1", "--no-token-cache", "--resume-from-checkpoint", "auto", "--output-dir", "run",
    ];

    public CrashTests()
    {
        TinyModel.Write(Path.Combine(_folder, "tiny"));
        TinyModel.Csv(Path.Combine(_folder, "train.csv"), 32, seed: 1);
    }

    private string Run => Path.Combine(_folder, "run");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Kill_AtEveryCall_GoesOnToTheSameWeights()
    {
        SystemCalls.Require();
        var whole = Unbroken(out var counts);
        foreach (var (call, number) in Points(counts, SystemCalls.Changing))
        {
            SystemCalls.Inject(_folder, Words, call, number, "signal=SIGKILL");
            AssertGoesOn(whole, $"killed at {call} {number}");
        }
    }

    [Fact]
    public void Error_OfEveryCall_LosesNothing()
    {
        SystemCalls.Require();
        var whole = Unbroken(out var counts);
        string[] errors = ["EIO", "ENOSPC", "EDQUOT"];
        foreach (var (i, (call, number)) in Points(counts, ["fsync", "rename", "pwrite64"]).Index())
        {
            var what = $"{errors[i % errors.Length]} at {call} {number}";
            var result = SystemCalls.Inject(_folder, Words, call, number, $"error={errors[i % errors.Length]}");
            Assert.True(result.Code is 0 or 1, $"{what}: {result.Error}");
            Assert.DoesNotContain("a fault of Attune", result.Error, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
            if (result.Code == 0 && File.Exists(Path.Combine(Run, "model.safetensors"))) Assert.True(whole == Weights(), what);
            AssertGoesOn(whole, what);
        }
    }

    [Fact]
    public void PowerCut_AtAnyCall_LosesNoCommittedCheckpoint()
    {
        SystemCalls.Require();
        const int crashes = 1000;
        var calls = SystemCalls.Trace(_folder, Words);
        var (disk, random, states, committed) = (new LossyDisk(Run), new Random(1), 0, new Dictionary<long, IReadOnlyDictionary<string, byte[]>>());
        var (renamed, newest, here) = ((long?)null, 0L, calls.Where(call => call.Path.StartsWith(Run, StringComparison.Ordinal)).ToList());
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

    /// <summary>Runs without a fault and counts the calls.</summary>
    private string Unbroken(out IReadOnlyDictionary<string, int> counts)
    {
        var calls = SystemCalls.Trace(_folder, Words);
        counts = SystemCalls.Changing.ToDictionary(name => name, name => calls.Count(call => call.Name == (name == "pwrite64" ? "write" : name)));
        var whole = Weights();
        Directory.Delete(Run, recursive: true);
        return whole;
    }

    /// <summary>Every call, or one of each of some kinds.</summary>
    private static IEnumerable<(string Call, int Number)> Points(IReadOnlyDictionary<string, int> counts, string[] kinds)
    {
        if (Environment.GetEnvironmentVariable("ATTUNE_CALLS") == "all")
            return counts.SelectMany(call => Enumerable.Range(1, call.Value), (call, number) => (call.Key, number));
        var random = new Random(2);
        return kinds.Select(call => (call, random.Next(1, counts[call] + 1))).ToList();
    }

    private void AssertGoesOn(string whole, string what)
    {
        var result = AttuneProcess.Run(_folder, [.. Words, "--overwrite-output-dir"]);
        Assert.True(result.Code == 0, string.Create(CultureInfo.InvariantCulture, $"{what}: exit code {result.Code}, {result.Error}"));
        Assert.True(whole == Weights(), $"{what}: other weights");
        Assert.Equal([], Directory.GetFileSystemEntries(Run, ".*"));
        Directory.Delete(Run, recursive: true);
    }

    private string Weights() => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(Path.Combine(Run, "model.safetensors"))));
}
