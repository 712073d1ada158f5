[assembly: AssemblyFixture(typeof(Attune.EndToEndTests.TrainedRun))]

namespace Attune.EndToEndTests;

/// <summary>A run on easy rows, trained once for all tests of all classes; none changes what is in its folder, and each writes beside it under a name of its own.</summary>
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

    internal string Model => Path.Combine(Folder, "run");

    internal string Folder { get; } = Directory.CreateTempSubdirectory("attune-run-").FullName;

    internal Result Result { get; }

    /// <summary>Copies the model to another folder, without what another program that looks for its own run there keeps for a moment.</summary>
    internal string Copy(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.GetFiles(Model).Where(file => Path.GetFileName(file)[0] != '.')) File.Copy(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);
        return folder;
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
