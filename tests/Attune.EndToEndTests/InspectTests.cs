using System.Text.Json.Nodes;

namespace Attune.EndToEndTests;

/// <summary>The probe of <c>attune inspect</c>: a run in small, of which nothing is left.</summary>
public sealed class InspectTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("attune-inspect-test-").FullName;

    public InspectTests()
    {
        TinyModel.Write(Path.Combine(_folder, "tiny"));
        foreach (var (file, rows, seed) in new[] { ("train.csv", 64, 1), ("dev.csv", 20, 2), ("test.csv", 30, 3) }) TinyModel.Csv(Path.Combine(_folder, file), rows, seed);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Probe_OfATinyRun_TellsEachPartAndLeavesNothing()
    {
        var before = Directory.EnumerateFileSystemEntries(_folder).ToHashSet();
        var result = AttuneProcess.Run(_folder, "inspect", "--json", "--model", "tiny", "--train-file", "train.csv", "--validation-file", "dev.csv", "--max-steps", "6",
            "--per-device-train-batch-size", "4", "--eval-strategy", "steps", "--eval-steps", "2", "--save-steps", "3", "--probe-steps", "2", "--threads", "1", "--output-dir", "no-run").Good();
        var estimate = JsonNode.Parse(result.Out)!["estimate"]!;
        var times = estimate["parts"]!.AsArray().ToDictionary(part => (string)part!["name"]!, part => (int)part!["times"]!);
        Assert.Equal((6, 4, 2, 1), (times["updates"], times["evaluations"], times["checkpoints"], times["saving the model"]));
        Assert.Equal(1, times["predictions, hashes and the model card"]);
        Assert.Equal(2, (int)estimate["updates_measured"]!);
        Assert.True((double)estimate["seconds"]! > 0 && (long)estimate["peak_memory_bytes"]! > 10_000_000);
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(_folder), entry => Path.GetFileName(entry).Contains("attune-inspect", StringComparison.Ordinal) || entry.EndsWith("no-run", StringComparison.Ordinal));
        Assert.True(before.IsSubsetOf(Directory.EnumerateFileSystemEntries(_folder)));
    }

    [Fact]
    public void Probe_OfARunThatCannotBeMade_SaysWhyBelowTheReport()
    {
        var result = AttuneVerb.Run(_folder, "inspect", "--model", "tiny", "--train-file", "train.csv", "--tune", "lora", "--output-dir", "no-run").Good();
        Assert.Contains("Length in tokens", result.Out, StringComparison.Ordinal);
        Assert.Contains("Not known. The run cannot be made as it is asked for: an adapter is asked for", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Probe_WithoutTrainingRows_IsNotMade() =>
        Assert.Contains("Not known. There is no training split.", AttuneVerb.Run(_folder, "inspect", "--model", "tiny", "--test-file", "test.csv").Good().Out, StringComparison.Ordinal);

    [Fact]
    public void FailOn_WhatIsFound_IsExitCodeOneWithTheReport()
    {
        var result = AttuneVerb.Run(_folder, "inspect", "--model", "tiny", "--train-file", "train.csv", "--validation-file", "train.csv", "--no-probe", "--fail-on", "leakage");
        Assert.Equal(1, result.Code);
        Assert.EndsWith("attune: --fail-on: found leakage.\n", result.Error, StringComparison.Ordinal);
        Assert.Contains("64 rows (100 %) of the split validation have their text in train too", result.Out, StringComparison.Ordinal);
    }
}
