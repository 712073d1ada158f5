using Attune.Batching;
using Attune.Datasets;
using Attune.Models;
using Attune.Profiling;

namespace Attune.Cli;

/// <summary>What a run begins with: the model's folder and the data set. Runs that name the same share it.</summary>
/// <param name="Found">The folder of the model, and its commit where it is of the hub.</param>
/// <param name="Config">The model's configuration.</param>
/// <param name="Source">The data set; none of it is set apart yet.</param>
internal sealed record RunInputs(ModelFolder Found, PreTrainedConfig Config, DataSource Source)
{
    private readonly Dictionary<string, (object Of, TokenizedDataset Rows)> _encoded = [];

    /// <summary>Finds the model and reads the data set.</summary>
    /// <param name="request">Names them.</param>
    /// <param name="folder">Of the run, where rows that cannot be used are put.</param>
    /// <param name="checkpoint">That the run goes on from, which must be of the same model; or null.</param>
    /// <param name="terminal">Takes the lines that say what was taken, and shows a download.</param>
    /// <exception cref="AttuneException">Either is not there or cannot be used.</exception>
    internal static RunInputs Load(RunRequest request, string folder, string? checkpoint, Terminal terminal)
    {
        var found = ModelFolder.Find(request.Model.Model!, request.Model.ModelRevision, terminal); // names become folders here and nowhere else
        var config = found.Config();
        if (checkpoint is not null) RunConfig.CheckModel(checkpoint, folder, config);
        var source = Profiler.Measure("reading data", () =>
            DataSource.Load(request.Data, config.LabelNames, mustFit: false, folder, terminal, found: Compute.Begin));
        return source.SplitNames.Contains(DatasetDict.Train) ? new RunInputs(found, config, source) : throw new AttuneException(
            $"{source.Name} has no training rows; give --train-file, or a data set with a split train.");
    }

    /// <summary>Whether no run has begun with them yet.</summary>
    internal bool IsFirstRun => _encoded.Count == 0;

    /// <summary>The rows of a split as tokens, from the run before where it wanted the same.</summary>
    /// <param name="split">Its name.</param>
    /// <param name="what">All else that they depend on.</param>
    /// <param name="encode">Makes them.</param>
    internal TokenizedDataset Encoded(string split, object what, Func<TokenizedDataset> encode)
    {
        if (Known(split, what) is { } known) return known;
        _encoded.Remove(split);                                // what is no longer wanted makes room first
        var rows = encode();
        _encoded[split] = (what, rows);
        return rows;
    }

    private TokenizedDataset? Known(string split, object what) => _encoded.TryGetValue(split, out var known) && known.Of.Equals(what) ? known.Rows : null;
}
