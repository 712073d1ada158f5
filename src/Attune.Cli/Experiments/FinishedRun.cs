using System.Text.Json.Nodes;
using Attune.Checkpoints;
using Attune.Formats;

namespace Attune.Cli.Experiments;

/// <summary>What the folder of a run tells of it.</summary>
/// <param name="Folder">As the user named it.</param>
/// <param name="Arguments">With which it was run.</param>
/// <param name="Results">Its metrics.</param>
/// <param name="Log">What it logged, each entry with its step.</param>
internal sealed record FinishedRun(
    string Folder, JsonObject Arguments, IReadOnlyDictionary<string, double> Results, IReadOnlyList<IReadOnlyDictionary<string, double>> Log)
{
    private const string Eval = "eval";

    /// <summary>The update after which it was the best; null where nothing says which model is better.</summary>
    internal long? BestStep { get; init; }

    /// <summary>Reads a folder.</summary>
    /// <exception cref="AttuneException">It is not that of a finished run.</exception>
    internal static FinishedRun Read(string folder)
    {
        if (!Directory.Exists(folder)) throw new AttuneException($"{folder}: there is no such folder; name the folders of runs.");
        if (!File.Exists(Path.Combine(folder, CheckpointFiles.AllResults)) || !File.Exists(Path.Combine(folder, CheckpointFiles.Arguments)))
            throw new AttuneException($"{folder} does not hold a finished run of attune train ({CheckpointFiles.AllResults} and {CheckpointFiles.Arguments}); name the folders of runs.");
        var arguments = PythonJson.ReadFile(Path.Combine(folder, CheckpointFiles.Arguments)) as JsonObject
            ?? throw new AttuneException($"{Path.Combine(folder, CheckpointFiles.Arguments)} holds no arguments; run it again, or leave the folder out.");
        var state = File.Exists(Path.Combine(folder, CheckpointFiles.TrainerState)) ? TrainerStateJson.Read(folder) : null;
        return new FinishedRun(folder, arguments, RunSeries.Results(folder), state?.LogHistory ?? []) { BestStep = state?.BestGlobalStep };
    }

    /// <summary>The folders of runs that a name stands for: itself, or where it is that of an experiment or a study the finished runs in it.</summary>
    internal static IEnumerable<string> Folders(string name)
    {
        if (!Directory.Exists(name) || File.Exists(Path.Combine(name, CheckpointFiles.AllResults))) return [name];
        var below = Directory.EnumerateDirectories(name).Where(folder => File.Exists(Path.Combine(folder, CheckpointFiles.AllResults))).Order(StringComparer.Ordinal).ToList();
        return below.Count > 0 ? below : [name];
    }

    /// <summary>What it predicted of each row that it was evaluated on; null where that was not kept.</summary>
    internal RunPredictions? Predictions() => RunPredictions.Read(Folder);

    /// <summary>The names of the metrics that it was evaluated by, without eval_.</summary>
    internal IEnumerable<string> Metrics => Results.Keys.Where(name => name.StartsWith(Eval + "_", StringComparison.Ordinal) && Experiment.IsResult(name))
        .Select(name => name[(Eval.Length + 1)..]);
}
