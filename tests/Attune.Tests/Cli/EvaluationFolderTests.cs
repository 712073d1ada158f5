using System.Text.Json.Nodes;
using Attune.Checkpoints;
using Attune.Cli;
using Attune.Metrics;
using Attune.Tests.Datasets;

namespace Attune.Tests.Cli;

/// <summary>What attune evaluate --output-dir leaves in a folder of its own, and in that of the run.</summary>
public sealed class EvaluationFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _run, _other;
    private readonly DataSource _source;

    public EvaluationFolderTests()
    {
        (_run, _other) = (Path.Combine(_folder.Path, "run"), Path.Combine(_folder.Path, "other"));
        foreach (var folder in new[] { _run, _other }) Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(_run, CheckpointFiles.Arguments), "{}");
        File.WriteAllText(Path.Combine(_run, CheckpointFiles.AllResults), """{"eval_accuracy": 0.9, "eval_accuracy_baseline": 0.5, "train_loss": 1}""");
        var file = _folder.Write("rows.csv", "text,label\na,no\nb,yes\n");
        _source = DataSource.Load(new DataArguments { TrainFile = file, ValidationFile = file, TestFile = file }, null, mustFit: false, null, new RecordingTerminal().Terminal);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Write_TestSplitIntoTheRun_StandsBesideItsEvaluation()
    {
        Written(EvaluationFolder.Open(_run + Path.DirectorySeparatorChar, _run, isOnItsData: true)!, "test");
        Assert.Equal("""{"eval_accuracy":0.9,"eval_accuracy_baseline":0.5,"test_accuracy":0.5,"test_samples":2,"train_loss":1}""", Json(_run, CheckpointFiles.AllResults));
        Assert.Equal("""{"test_accuracy":0.5,"test_samples":2}""", Json(_run, "test_results.json"));
        Assert.Null(RunPredictions.Read(_run));
        Assert.Equal(2, RunPredictions.Read(_run, CheckpointFiles.TestPredictions)!.Prediction.Rows);
    }

    [Fact]
    public void Write_OwnSplitIntoTheRun_TakesThePlaceOfItsEvaluation()
    {
        Written(EvaluationFolder.Open(_run, _run, isOnItsData: true)!, "validation");
        Assert.Equal("""{"eval_accuracy":0.5,"eval_accuracy_baseline":0.4,"eval_samples":2,"train_loss":1}""", Json(_run, CheckpointFiles.AllResults));
        Assert.True(File.Exists(Path.Combine(_run, "eval_results.json")));
        Assert.Equal([7, 3], RunPredictions.Read(_run)!.Rows!);
    }

    [Fact]
    public void Write_IntoAnotherFolder_IsNamedAfterTheSplit()
    {
        Written(EvaluationFolder.Open(_other, _run, isOnItsData: false)!, "test");
        Assert.Equal("""{"eval_accuracy":0.5,"eval_accuracy_baseline":0.4,"eval_samples":2}""", Json(_other, "test_results.json"));
        Assert.NotNull(RunPredictions.Read(_other));
    }

    [Theory]
    [InlineData("train")]
    [InlineData("test[:10]")]
    [InlineData("validation_mismatched")]
    public void Require_OtherSplitIntoTheRun_IsRefused(string split)
    {
        var into = EvaluationFolder.Open(_run, _run, isOnItsData: true)!;
        Assert.Equal($"output_dir is {_run}, the folder of a run, which holds results of the rows that it was evaluated on and of test, but not of {split}; name another folder.",
            Assert.Throws<UsageException>(() => into.Require(split, "validation", "test")).Message);
        EvaluationFolder.Open(_other, _run, isOnItsData: true)!.Require(split, "validation", "test");
        into.Require("validation", "validation", null);
    }

    [Fact]
    public void Open_OtherModelOrDataIntoARun_IsRefused()
    {
        Assert.Contains("its own model on its own data", Assert.Throws<UsageException>(() => EvaluationFolder.Open(_run, _other, isOnItsData: true)).Message, StringComparison.Ordinal);
        Assert.Throws<UsageException>(() => EvaluationFolder.Open(_run, _run, isOnItsData: false));
        Assert.Null(EvaluationFolder.Open(null, _run, isOnItsData: true));
    }

    private void Written(EvaluationFolder into, string split) => into.Write(split,
        new Dictionary<string, double> { ["eval_accuracy"] = 0.5, ["eval_samples"] = 2 }, new Dictionary<string, double> { ["eval_accuracy_baseline"] = 0.4 },
        new EvalPrediction([1, 2, 3, 4], 2, 2, [0, 1]), _source, split == "validation" ? [7, 3] : null);

    private static string Json(string folder, string file) => JsonNode.Parse(File.ReadAllText(Path.Combine(folder, file)))!.ToJsonString();
}
