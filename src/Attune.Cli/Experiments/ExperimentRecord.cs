using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.Checkpoints;
using Attune.Formats;
using Attune.Metrics;

namespace Attune.Cli.Experiments;

/// <summary><c>experiment_results.json</c>: the finished runs of an experiment with their results, and what they come to together.</summary>
internal sealed class ExperimentRecord
{
    internal const string FileName = "experiment_results.json";

    private const string Arguments = "arguments", Runs = "runs", Run = "run", Results = "results", Summary = "summary", Begun = "begun";

    private readonly string _path;
    private readonly JsonObject _json;

    private ExperimentRecord(string path, JsonObject json) => (_path, _json) = (path, json);

    /// <summary>The whole as JSON.</summary>
    internal JsonObject Json => _json;

    /// <summary>Opens that of a folder, or begins it.</summary>
    /// <param name="folder">Of the experiment.</param>
    /// <param name="arguments">What all runs share.</param>
    /// <param name="isNew">Whether what is there does not count.</param>
    /// <exception cref="AttuneException">The folder holds an experiment with other arguments, or the file is damaged.</exception>
    internal static ExperimentRecord Open(string folder, JsonObject arguments, bool isNew)
    {
        AtomicFile.CreateFolder(folder);
        var path = Path.Combine(folder, FileName);
        if (isNew || !File.Exists(path))
        {
            var record = new ExperimentRecord(path, new JsonObject { [Arguments] = arguments, [Runs] = new JsonArray() });
            record.Write();
            return record;
        }
        if (PythonJson.ReadFile(path) is not JsonObject { } json || json[Arguments] is not JsonObject before || json[Runs] is not JsonArray runs
            || runs.Any(run => run?[Run]?.GetValueKind() != JsonValueKind.String || run[Results] is not JsonObject results || results.Any(value => value.Value?.GetValueKind() != JsonValueKind.Number))
            || json[Begun] is { } begun && (begun is not JsonArray names || names.Any(name => name?.GetValueKind() != JsonValueKind.String)))
            throw new AttuneException($"{path} is no record of an experiment; remove it, and the experiment is run again.");
        return SeriesKey.Difference(before, arguments) is not { } difference ? new ExperimentRecord(path, json) : throw new AttuneException(
            $"{folder} holds an experiment with other arguments ({difference}); choose another --output-dir, or give --overwrite-output-dir to replace it.");
    }

    /// <summary>Whether a run is in it.</summary>
    internal bool Has(ExperimentRun run) => Entries.Any(entry => (string?)entry[Run] == run.Name);

    /// <summary>Whether what is in the folder of a run is of this experiment.</summary>
    internal bool HasBegun(ExperimentRun run) => Has(run) || BegunRuns.Contains(run.Name);

    /// <summary>Notes that what is in the folder of a run is of this experiment from here on, and writes the file.</summary>
    internal void Begin(ExperimentRun run)
    {
        _json[Begun] = new JsonArray([.. BegunRuns.Append(run.Name).Select(name => (JsonNode)name)]);
        Write();
    }

    /// <summary>Takes the results of a run that is finished, and writes the file.</summary>
    internal void Add(ExperimentRun run, IReadOnlyDictionary<string, double> results)
    {
        _json[Runs]!.AsArray().Add(new JsonObject { [Run] = run.Name, ["seed"] = run.Seed, ["fold"] = run.Fold, [Results] = TrainerStateJson.Entry(results) });
        _json[Summary] = new JsonObject(Metrics([.. Entries.Select(entry => (string)entry[Run]!)]).Select(metric => KeyValuePair.Create(metric.Name, (JsonNode?)AsJson(metric.Spread))));
        var unfinished = BegunRuns.Where(name => name != run.Name).ToList();
        _json.Remove(Begun);
        if (unfinished.Count > 0) _json[Begun] = new JsonArray([.. unfinished.Select(name => (JsonNode)name)]);
        Write();
    }

    /// <summary>Each metric over some of the runs, with the runs in which it is lowest and highest; those that not every run has are left out.</summary>
    internal IEnumerable<(string Name, Spread Spread, (string Run, double Value) Lowest, (string Run, double Value) Highest)> Metrics(IReadOnlyCollection<string> runs)
    {
        var counted = Entries.Where(entry => runs.Contains((string)entry[Run]!)).ToList();
        foreach (var name in counted.SelectMany(entry => entry[Results]!.AsObject().Select(pair => pair.Key)).Distinct())
        {
            var values = counted.Where(entry => entry[Results]![name] is not null).Select(entry => (Run: (string)entry[Run]!, Value: Number(entry[Results]![name]!))).ToList();
            if (values.Count < counted.Count) continue;
            yield return (name, Spread.Of([.. values.Select(value => value.Value)]), values.MinBy(value => value.Value), values.MaxBy(value => value.Value));
        }
    }

    /// <summary>Runs that were begun and are not finished.</summary>
    private IEnumerable<string> BegunRuns => (_json[Begun] as JsonArray ?? []).Select(name => (string)name!);

    private void Write() => AtomicFile.WriteText(_path, PythonJson.Write(_json, indent: 2, ensureAscii: false) + "\n");

    private IEnumerable<JsonObject> Entries => _json[Runs]!.AsArray().Select(entry => entry!.AsObject());

    /// <summary>Counts are whole numbers in JSON.</summary>
    private static double Number(JsonNode value) => value.AsValue().TryGetValue(out double number) ? number : value.GetValue<long>();

    private static JsonObject AsJson(Spread spread) => new()
    {
        ["runs"] = spread.Runs,
        ["mean"] = spread.Mean,
        ["standard_deviation"] = spread.Deviation,
        ["interval_low"] = spread.Mean - spread.HalfWidth,
        ["interval_high"] = spread.Mean + spread.HalfWidth,
    };
}
