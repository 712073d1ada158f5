using System.Text.Json.Nodes;
using Attune.Checkpoints;
using Attune.Formats;
using Attune.Training;

namespace Attune.Cli.Experiments;

/// <summary>Runs one after the other in this process, each in a folder of its own; what they begin with is loaded once while it is the same.</summary>
internal sealed class RunSeries(OutputArguments output, Terminal terminal)
{
    private string[] _keys = [];
    private RunInputs? _inputs;

    /// <summary>Runs in a folder, or goes on with the run that is in it.</summary>
    /// <param name="request">What to run; where it writes is the folder.</param>
    /// <param name="folder">Its own.</param>
    /// <param name="callback">Watches it besides; or null.</param>
    /// <param name="cut">Ends it with a checkpoint.</param>
    /// <exception cref="AttuneException">Something is wrong that the user can mend.</exception>
    internal RunOutcome Run(RunRequest request, string folder, TrainerCallback? callback = null, CancellationToken cut = default)
    {
        request = InFolder(request, folder);
        AtomicFile.CreateFolder(folder);
        var checkpoint = OutputFolder.Check(request.Check(), "auto", terminal.Tell);
        return new ClassifierRun(request, Inputs(request, folder, checkpoint), output, terminal) { IsPart = true, Callbacks = callback is null ? [] : [callback] }
            .Run(checkpoint, cut);
    }

    /// <summary>The run with a folder of its own, and names of its own where the log goes.</summary>
    internal static RunRequest InFolder(RunRequest request, string folder)
    {
        var (training, name) = (request.Training, Path.GetFileName(folder));
        return request with
        {
            Training = training with
            {
                // Without a checkpoint it begins anew, whatever a killed process left in the folder.
                OutputDir = folder,
                ResumeFromCheckpoint = "auto",
                OverwriteOutputDir = true,
                LoggingDir = training.LoggingDir is { } logs ? Path.Combine(logs, name) : null,
                RunName = training.RunName is { } shared ? $"{shared}-{name}" : null,
            },
        };
    }

    /// <summary>The request with model and data set at the commits of the first run of a series that names the same, so that all are of one commit.</summary>
    /// <param name="request">Of one of the runs.</param>
    /// <param name="series">The folder of the series.</param>
    internal static RunRequest AtItsCommits(RunRequest request, string series) => !Directory.Exists(series) ? request
        : Directory.EnumerateDirectories(series).Order(StringComparer.Ordinal).Aggregate(request, (known, run) => known.AtItsCommits(run));

    /// <summary>Removes what an earlier run left in a folder, as overwrite_output_dir does, and its arguments.</summary>
    /// <exception cref="AttuneException">Another process trains into it, or it cannot be written.</exception>
    internal static void Clear(string folder)
    {
        using var ours = OutputFolder.Prepare(new TrainingArguments { OutputDir = folder, OverwriteOutputDir = true }, checkpoint: null);
        File.Delete(Path.Combine(folder, CheckpointFiles.Arguments));
    }

    /// <summary>The metrics in the folder of a finished run, by their names.</summary>
    internal static OrderedDictionary<string, double> Results(string folder)
    {
        var values = new OrderedDictionary<string, double>();
        foreach (var (name, value) in PythonJson.ReadFile(Path.Combine(folder, CheckpointFiles.AllResults)) as JsonObject ?? [])
            if (value is JsonValue one && one.TryGetValue(out double number)) values[name] = number;
        return values;
    }

    /// <summary>What a run begins with: that of the run before where it is the same.</summary>
    internal RunInputs Inputs(RunRequest request, string folder, string? checkpoint)
    {
        if (_inputs is not null && _keys.Contains(Key(request)))
        {
            if (checkpoint is not null) RunConfig.CheckModel(checkpoint, folder, _inputs.Config);
            return _inputs;
        }
        (_keys, _inputs) = ([], null);                         // what is no longer wanted makes room first
        _inputs = RunInputs.Load(request, folder, checkpoint, terminal);
        // Whoever names the commit that a branch was found at means the same.
        var atCommits = request with
        {
            Model = request.Model with { ModelRevision = _inputs.Found.Commit ?? request.Model.ModelRevision },
            Data = request.Data with { DatasetRevision = _inputs.Source.Commit ?? request.Data.DatasetRevision },
        };
        _keys = [Key(request), Key(atCommits)];
        return _inputs;
    }

    private static string Key(RunRequest request) =>
        PythonJson.Write(ArgumentTable.Of<DataArguments>().ToJson(request.Data with { Fold = null })) + request.Model.Model + "@" + request.Model.ModelRevision;
}
