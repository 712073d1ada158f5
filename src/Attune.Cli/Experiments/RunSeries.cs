using System.Text.Json.Nodes;
using Attune.Checkpoints;
using Attune.Formats;
using Attune.Training;

namespace Attune.Cli.Experiments;

/// <summary>Runs one after the other in this process, each in a folder of its own; what they begin with is loaded once while it is the same.</summary>
internal sealed class RunSeries(OutputArguments output, Terminal terminal)
{
    private string? _key;
    private RunInputs? _inputs;

    /// <summary>Runs in a folder, or goes on with the run that is in it.</summary>
    /// <param name="request">What to run; where it writes is the folder.</param>
    /// <param name="folder">Its own.</param>
    /// <param name="callback">Watches it besides; or null.</param>
    /// <param name="cut">Ends it with a checkpoint.</param>
    /// <exception cref="AttuneException">Something is wrong that the user can mend.</exception>
    internal RunOutcome Run(RunRequest request, string folder, TrainerCallback? callback = null, CancellationToken cut = default)
    {
        // Without a checkpoint it begins anew, whatever a killed process left in the folder.
        request = request with { Training = request.Training with { OutputDir = folder, ResumeFromCheckpoint = "auto", OverwriteOutputDir = true } };
        AtomicFile.CreateFolder(folder);
        var checkpoint = OutputFolder.Check(request.Check(), "auto", terminal.Tell);
        return new ClassifierRun(request, Inputs(request, folder, checkpoint), output, terminal) { IsPart = true, Callbacks = callback is null ? [] : [callback] }
            .Run(checkpoint, cut);
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
        var key = PythonJson.Write(ArgumentTable.Of<DataArguments>().ToJson(request.Data with { Fold = null })) + request.Model.Model + "@" + request.Model.ModelRevision;
        if (_inputs is not null && key == _key)
        {
            if (checkpoint is not null) RunConfig.CheckModel(checkpoint, folder, _inputs.Config);
            return _inputs;
        }
        (_key, _inputs) = (null, null);                        // what is no longer wanted makes room first
        (_inputs, _key) = (RunInputs.Load(request, folder, checkpoint, terminal), key);
        return _inputs;
    }
}
