using System.Globalization;
using System.Text;
using Attune.Cli.Experiments;
using Attune.Formats;
using Attune.Metrics;

namespace Attune.Cli.Reports;

/// <summary>The head of a model card, in YAML, as the hub expects it: what the model is for, what it was made of, and its results as a <c>model-index</c>.</summary>
internal static class CardHead
{
    internal static string Of(RunFacts run, IReadOnlyList<MetricFigure> figures)
    {
        var yaml = new StringBuilder("---\n");
        var (model, data) = (run.Record?.Model, run.Record?.Data);
        if (model is { IsAdapter: true }) Line(model.AdapterOf);
        else if (model is { Commit: not null }) Line(model.From);
        yaml.Append(CultureInfo.InvariantCulture, $"library_name: {(model?.IsAdapter == true ? "peft" : "transformers")}\npipeline_tag: text-classification\n");
        if (data?.Commit is not null) yaml.Append(CultureInfo.InvariantCulture, $"datasets:\n- {Text(DatasetOf(run))}\n");
        if (figures.Where(IsMetric).ToList() is [_, ..] measured) yaml.Append("metrics:\n").AppendJoin("", measured.Select(figure => $"- {figure.Name}\n"));
        yaml.Append("tags:\n- generated_from_trainer\n- attune\n");
        Index(yaml, run, figures);
        return yaml.Append("---\n").ToString();

        // A folder of this machine would mean nothing on the hub.
        void Line(string? name)
        {
            if (name is not null && !Path.IsPathRooted(name)) yaml.Append(CultureInfo.InvariantCulture, $"base_model: {name}\n");
        }
    }

    private static void Index(StringBuilder yaml, RunFacts run, IReadOnlyList<MetricFigure> figures)
    {
        const string test = "test_";
        (string Split, List<(string Name, double Value)> Metrics)[] parts =
        [
            ("validation", [.. figures.Where(IsMetric).Select(figure => (figure.Name, figure.Value))]),
            ("test", [.. run.Run.Results.Where(result => result.Key.StartsWith(test, StringComparison.Ordinal) && Experiment.IsResult(result.Key)).Select(result => (result.Key[test.Length..], result.Value)).Where(result => IsKnown(result.Item1))]),
        ];
        if (run.Record?.Data is not { } data || parts.All(part => part.Metrics.Count == 0)) return;
        yaml.Append(CultureInfo.InvariantCulture, $"model-index:\n- name: {Text(run.Name)}\n  results:\n");
        foreach (var (split, metrics) in parts.Where(part => part.Metrics.Count > 0))
        {
            yaml.Append(CultureInfo.InvariantCulture, $"  - task:\n      type: text-classification\n      name: Text Classification\n    dataset:\n      name: {Text(ModelCard.Named(data.Name))}\n      type: {Text(DatasetOf(run))}\n      split: {split}\n");
            if (run.Run.Arguments["dataset_config"] is { } config) yaml.Append(CultureInfo.InvariantCulture, $"      config: {Text(config.ToString())}\n");
            if (data.Commit is { } commit) yaml.Append(CultureInfo.InvariantCulture, $"      revision: {Text(commit)}\n");
            yaml.Append("    metrics:\n");
            foreach (var (name, value) in metrics)
                yaml.Append(CultureInfo.InvariantCulture, $"    - type: {name}\n      value: {(double.IsFinite(value) ? value.ToString("0.0#####", CultureInfo.InvariantCulture) : ".nan")}\n      name: {name}\n");
        }
    }

    private static bool IsMetric(MetricFigure figure) => IsKnown(figure.Name);

    /// <summary>Whether it is a metric by its name in <c>evaluate</c>, and not a loss or a metric of some rows.</summary>
    private static bool IsKnown(string name) => Enum.GetValues<TaskKind>().Any(task => MetricTable.Names(task).Contains(name));

    /// <summary>What the hub calls the data set, and a name of its own for others.</summary>
    private static string DatasetOf(RunFacts run) => run.Record!.Data is { Commit: not null } or { Files.Count: 0 } && run.Record.Data.Name is var name && !Path.IsPathRooted(name) ? name : "local";

    /// <summary>A string of JSON is one of YAML.</summary>
    private static string Text(string text) => PythonJson.Write(text, ensureAscii: false);
}
