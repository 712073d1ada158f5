using Attune.Checkpoints;
using Attune.Cli;
using Attune.Metrics;
using Attune.Tests.Datasets;

namespace Attune.Tests.Cli;

public sealed class RunPredictionsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(TaskKind.SingleLabel)]
    [InlineData(TaskKind.MultiLabel)]
    [InlineData(TaskKind.Regression)]
    public void Read_WhatARunHasKept_GivesTheSameMetrics(TaskKind task)
    {
        var columns = task == TaskKind.Regression ? 1 : 2;
        float[] labels = task == TaskKind.SingleLabel ? [1, -100, 0, 1] : task == TaskKind.Regression ? [1, 2, 3.5f, -4] : [0, 1, 1, 1, 0, 0, 1, 0];
        float[] logits = columns == 1 ? [1.5f, 2.5f, 3, -2] : [0.1f, -2, 3, 4, 5, 90, -1, -1.5f];
        var kept = new EvalPrediction(logits, 4, columns, labels, task);
        RunPredictions.Write(_folder.Path, kept, ["no \"way\"", "ja, é"], isWanted: true);
        var read = RunPredictions.Read(_folder.Path)!;
        Assert.Equal(columns == 1 ? [] : ["no \"way\"", "ja, é"], read.Classes);
        Assert.Equal((4, columns, task), (read.Prediction.Rows, read.Prediction.Columns, read.Prediction.Task));
        Assert.Equal(labels, read.Prediction.Labels);
        Assert.Equal(kept.Predictions, read.Prediction.Predictions);
        foreach (var name in MetricTable.Names(task))
            if (Compute(name, kept) is var expected && double.IsFinite(expected)) Assert.Equal(expected, Compute(name, read.Prediction), 1e-5);

        double Compute(string name, EvalPrediction prediction) => MetricTable.Find(name, task, columns).Compute(prediction.Labelled());
    }

    [Theory]
    [InlineData("", 1)]
    [InlineData("[]", 1)]
    [InlineData("{\"label\": \"c\", \"prediction\": \"a\", \"probabilities\": {\"a\": 0.5, \"b\": 0.5}}", 1)]
    [InlineData("{\"label\": \"a\", \"prediction\": \"a\", \"probabilities\": {\"a\": 0.5, \"b\": 1.5}}", 1)]
    [InlineData("{\"label\": \"a\", \"prediction\": \"a\", \"probabilities\": {\"a\": 0.5, \"b\": 0.5}}\n{\"label\": \"a\", \"probabilities\": {\"a\": 1}}", 2)]
    [InlineData("{\"label\": [\"a\", 1], \"probabilities\": {\"a\": 0.5, \"b\": 0.5}}", 1)]
    [InlineData("{\"label\": 1, \"prediction\": \"x\"}", 1)]
    public void Read_DamagedFile_IsRefusedByItsRow(string text, int row)
    {
        _folder.Write(CheckpointFiles.EvalPredictions, text);
        Assert.StartsWith($"{Path.Combine(_folder.Path, CheckpointFiles.EvalPredictions)}, row {row}: ", Assert.Throws<AttuneException>(() => RunPredictions.Read(_folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_NoFile_IsNull() => Assert.Null(RunPredictions.Read(_folder.Path));
}
