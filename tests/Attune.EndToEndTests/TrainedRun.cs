namespace Attune.EndToEndTests;

/// <summary>A run on easy rows, trained once for all tests that only read it.</summary>
public sealed class TrainedRun : IDisposable
{
    public TrainedRun()
    {
        TinyModel.Write(Path.Combine(Folder, "tiny"));
        TinyModel.Csv(Path.Combine(Folder, "train.csv"), 64, seed: 1);
        TinyModel.Csv(Path.Combine(Folder, "dev.csv"), 20, seed: 2);
        TinyModel.Csv(Path.Combine(Folder, "test.csv"), 30, seed: 3);
        Result = AttuneProcess.Run(Folder, Words);
    }

    /// <summary>The words that trained it.</summary>
    internal static string[] Words =>
    [
        "train", "--model", "tiny", "--train-file", "train.csv", "--validation-file", "dev.csv", "--test-file", "test.csv", "--output-dir", "run",
        "--num-train-epochs", "6", "--learning-rate", "5e-3", "--per-device-train-batch-size", "8", "--evaluation-strategy", "epoch",
        "--save-total-limit", "1", "--load-best-model-at-end", "--metric-for-best-model", "accuracy", "--do-predict", "--threads", "1",
    ];

    internal string Folder { get; } = Directory.CreateTempSubdirectory("attune-run-").FullName;

    internal Result Result { get; }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}

[CollectionDefinition(nameof(TrainedRun))]
public sealed class TrainedRunCollection : ICollectionFixture<TrainedRun>;
