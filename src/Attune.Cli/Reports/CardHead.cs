using System.Globalization;
using System.Text;
using Attune.Formats;
using Attune.Metrics;

namespace Attune.Cli.Reports;

/// <summary>The head of a model card, in YAML, as the hub expects it: what the model is for, what it was made of, and its results as a <c>model-index</c>.</summary>
internal static class CardHead
{
    internal static string Of(RunFacts run, IReadOnlyList<MetricFigure> figures, IReadOnlyList<MetricFigure> tested)
    {
        var yaml = new StringBuilder("---\n");
        var (model, data) = (run.Record?.Model, run.Record?.Data);
        // Only what has a commit is of the hub; a folder of this machine would mean nothing there.
        if (model is { Commit: not null }) yaml.Append(CultureInfo.InvariantCulture, $"base_model: {model.AdapterOf ?? model.From}\n");
        yaml.Append(CultureInfo.InvariantCulture, $"library_name: {(model?.IsAdapter == true ? "peft" : "transformers")}\npipeline_tag: text-classification\n");
        if (data?.Commit is not null) yaml.Append(CultureInfo.InvariantCulture, $"datasets:\n- {Text(DatasetOf(run))}\n");
        if (figures.Where(IsMetric).ToList() is [_, ..] measured) yaml.Append("metrics:\n").AppendJoin("", measured.Select(figure => $"- {figure.Name}\n"));
        yaml.Append("tags:\n- generated_from_trainer\n- attune\n");
        Index(yaml, run, figures, tested);
        return yaml.Append("---\n").ToString();
    }

    private static void Index(StringBuilder yaml, RunFacts run, IReadOnlyList<MetricFigure> figures, IReadOnlyList<MetricFigure> tested)
    {
        (string Split, List<MetricFigure> Metrics)[] parts = [("validation", [.. figures.Where(IsMetric)]), ("test", [.. tested.Where(IsMetric)])];
        if (run.Record?.Data is not { } data || parts.All(part => part.Metrics.Count == 0)) return;
        yaml.Append(CultureInfo.InvariantCulture, $"model-index:\n- name: {Text(run.Name)}\n  results:\n");
        foreach (var (split, metrics) in parts.Where(part => part.Metrics.Count > 0))
        {
            yaml.Append(CultureInfo.InvariantCulture, $"  - task:\n      type: text-classification\n      name: Text Classification\n    dataset:\n      name: {Text(CardNames.Data(run))}\n      type: {Text(DatasetOf(run))}\n      split: {split}\n");
            if (run.Run.Arguments["dataset_config"] is { } config) yaml.Append(CultureInfo.InvariantCulture, $"      config: {Text(config.ToString())}\n");
            if (data.Commit is { } commit) yaml.Append(CultureInfo.InvariantCulture, $"      revision: {Text(commit)}\n");
            yaml.Append("    metrics:\n");
            foreach (var (name, value, _, _) in metrics)
                yaml.Append(CultureInfo.InvariantCulture, $"    - type: {name}\n      value: {value.ToString("0.0#####", CultureInfo.InvariantCulture)}\n      name: {name}\n");
        }
    }

    /// <summary>Whether it is a metric by its name in <c>evaluate</c>, and not a loss or a metric of some rows; and a number, which the hub wants.</summary>
    private static bool IsMetric(MetricFigure figure) => double.IsFinite(figure.Value) && Enum.GetValues<TaskKind>().Any(task => MetricTable.Names(task).Contains(figure.Name));

    /// <summary>What the hub calls the data set, and a name of its own for others.</summary>
    private static string DatasetOf(RunFacts run) => CardNames.IsPublic(run.Record!.Data.Name, run.Record.Data.Commit) ? run.Record.Data.Name : "local";

    /// <summary>A string of JSON is one of YAML.</summary>
    private static string Text(string text) => PythonJson.Write(text, ensureAscii: false);
}
