using Attune.Cli;
using Attune.Cli.Experiments;
using Attune.Tests.Datasets;
using Attune.Training;

namespace Attune.Tests.Experiments;

public sealed class RunSeriesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void InFolder_LoggingDirAndRunName_AreOfTheRun()
    {
        var training = RunSeries.InFolder(Request(new TrainingArguments { LoggingDir = "logs", RunName = "try" }), Path.Combine("all", "seed-2")).Training;
        Assert.Equal((Path.Combine("all", "seed-2"), Path.Combine("logs", "seed-2"), "try-seed-2"), (training.OutputDir, training.LoggingDir, training.RunName));
        var without = RunSeries.InFolder(Request(new TrainingArguments()), "seed-2").Training;
        Assert.Equal((null, null), (without.LoggingDir, without.RunName));
    }

    [Fact]
    public void AtItsCommits_RunsBefore_GiveThoseOfTheSameModelAndDataSet()
    {
        _folder.Write(Path.Combine("trial-001", "attune_config.json"), """{"model": "someone/other", "model_revision": "aaaa", "dataset": "someone/texts", "dataset_revision": "bbbb"}""");
        _folder.Write(Path.Combine("trial-002", "attune_config.json"), """{"model": "someone/bert", "model_revision": "cccc", "dataset": "someone/texts", "dataset_revision": "dddd"}""");
        _folder.Write(Path.Combine("trial-003", "train_log.jsonl"), "");
        var request = Request(new TrainingArguments());
        var found = RunSeries.AtItsCommits(request, _folder.Path);
        Assert.Equal(("cccc", "bbbb"), (found.Model.ModelRevision, found.Data.DatasetRevision));
        Assert.Same(request, RunSeries.AtItsCommits(request, Path.Combine(_folder.Path, "none")));
    }

    [Fact]
    public void Clear_AnotherRun_LeavesNothingToGoOnFrom()
    {
        var folder = Path.Combine(_folder.Path, "fold-1");
        foreach (var file in (string[])["checkpoint-5/trainer_state.json", "all_results.json", "model.safetensors", "attune_config.json"])
            _folder.Write(Path.Combine("fold-1", file), "{}");
        RunSeries.Clear(folder);
        Assert.Empty(Directory.GetDirectories(folder));
        Assert.DoesNotContain(Directory.GetFiles(folder, "*.*").Select(Path.GetFileName), name => name!.EndsWith(".json", StringComparison.Ordinal) || name.EndsWith(".safetensors", StringComparison.Ordinal));
    }

    private static RunRequest Request(TrainingArguments training) =>
        new(new ModelArguments { Model = "someone/bert" }, new DataArguments { Dataset = "someone/texts" }, training, null, false);
}
