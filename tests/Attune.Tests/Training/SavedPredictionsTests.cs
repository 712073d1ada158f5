using Attune.Checkpoints;
using Attune.Metrics;
using Attune.Tests.Datasets;
using Attune.Training;

namespace Attune.Tests.Training;

[Collection("torch")]
public sealed class SavedPredictionsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(TaskKind.SingleLabel)]
    [InlineData(TaskKind.MultiLabel)]
    [InlineData(TaskKind.Regression)]
    public void Read_WhatWasWritten_IsTheSame(TaskKind task)
    {
        float[] labels = task == TaskKind.SingleLabel ? [1, -100, 0] : [0, 1, 1, 1, 0, 0];
        SavedPredictions.Write(_folder.Path, "eval", new EvalPrediction([0.1f, -2, 3, 4, 5, float.Epsilon], 3, 2, labels, task), ["no \"way\"", "ja, é"]);
        var read = SavedPredictions.Read(_folder.Path, "eval")!;
        Assert.Equal(["no \"way\"", "ja, é"], read.Classes);
        Assert.Equal((3, 2, task), (read.Prediction.Rows, read.Prediction.Columns, read.Prediction.Task));
        Assert.Equal([0.1f, -2, 3, 4, 5, float.Epsilon], read.Prediction.Logits);
        Assert.Equal(labels, read.Prediction.Labels);
        Assert.Null(SavedPredictions.Read(_folder.Path, "test"));
    }

    [Fact]
    public void Read_OtherTensorsOrLabels_IsRefused()
    {
        Refused(() => SavedPredictions.Write(_folder.Path, "eval", new EvalPrediction([1, 2], 1, 2, [2]), ["a", "b"]));
        Refused(() => SavedPredictions.Write(_folder.Path, "eval", new EvalPrediction([1, 2], 1, 2, [0.5f]), ["a", "b"]));
        Refused(() => SavedPredictions.Write(_folder.Path, "eval", new EvalPrediction([1, 2], 1, 2, [0]), ["a"]));
        using var model = TinyRun.Model();
        Refused(() =>
        {
            model.SavePretrained(_folder.Path);
            File.Move(Path.Combine(_folder.Path, CheckpointFiles.Weights), Path.Combine(_folder.Path, CheckpointFiles.Predictions("eval")), overwrite: true);
        });
    }

    private void Refused(Action write)
    {
        write();
        Assert.StartsWith(Path.Combine(_folder.Path, "predictions", "eval.safetensors"), Assert.Throws<AttuneException>(() => SavedPredictions.Read(_folder.Path, "eval")).Message, StringComparison.Ordinal);
    }
}
