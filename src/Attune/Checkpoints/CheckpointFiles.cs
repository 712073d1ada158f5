using System.Globalization;
using Attune.Formats;

namespace Attune.Checkpoints;

/// <summary>The names of files and folders that a run leaves.</summary>
public static class CheckpointFiles
{
    /// <summary>Weights.</summary>
    public const string Weights = WeightFiles.SafeTensorsName;

    /// <summary>Weights of an adapter, in the place of <see cref="Weights"/> where only that is trained.</summary>
    public const string Adapter = WeightFiles.AdapterName;

    /// <summary>What the adapter is.</summary>
    public const string AdapterConfig = WeightFiles.AdapterConfigName;

    /// <summary>Folder in that of a run for the adapter whose merged weights the run's folder holds.</summary>
    public const string AdapterFolder = "adapter";

    /// <summary>The optimizer's tensors.</summary>
    public const string Optimizer = "optimizer.safetensors";

    /// <summary>The state of the run, as transformers writes it.</summary>
    public const string TrainerState = "trainer_state.json";

    /// <summary>What an exact continuation needs besides.</summary>
    public const string ResumeState = "attune_state.json";

    /// <summary>Size and SHA-256 of each file of a checkpoint; a folder without it is not one of Attune's.</summary>
    public const string Manifest = "manifest.json";

    /// <summary>The results of all splits together.</summary>
    public const string AllResults = "all_results.json";

    /// <summary>Label, prediction and probabilities of each text of the evaluation.</summary>
    public const string EvalPredictions = "eval_predictions.jsonl";

    /// <summary>The same of the test split.</summary>
    internal const string TestPredictions = "test_predictions.jsonl";

    /// <summary>The arguments of the run, with which it can be repeated.</summary>
    public const string Arguments = "attune_config.json";

    private const string Prefix = "checkpoint-";

    /// <summary>The results of a split, for example <c>eval_results.json</c>.</summary>
    public static string Results(string split) => split + "_results.json";

    /// <summary>The folder of a checkpoint.</summary>
    /// <param name="outputDir">Folder of the run.</param>
    /// <param name="step">Updates made.</param>
    public static string Folder(string outputDir, long step) => Path.Combine(outputDir, Prefix + step.ToString(CultureInfo.InvariantCulture));

    /// <summary>The number in the name of a checkpoint folder; null where it is not one.</summary>
    public static long? Step(string folder)
    {
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(folder));
        return name.StartsWith(Prefix, StringComparison.Ordinal)
            && long.TryParse(name.AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var step) ? step : null;
    }

    /// <summary>The checkpoints of a run, oldest first.</summary>
    public static IReadOnlyList<string> All(string outputDir) => !Directory.Exists(outputDir) ? [] :
        [.. Directory.EnumerateDirectories(outputDir, Prefix + "*").Where(folder => Step(folder) is not null).OrderBy(folder => Step(folder))];

    /// <summary>The checkpoint with the most updates; null where there is none.</summary>
    public static string? Newest(string outputDir) => All(outputDir) is [.., var newest] ? newest : null;
}
