using System.Text.Json.Nodes;
using Attune.Checkpoints;
using Attune.Cli;
using Attune.Cli.Reports;
using Attune.Metrics;

namespace Attune.Tests.Reports;

/// <summary>The folder that a run leaves, made without training: arguments, results, log, predictions and the data that they are of.</summary>
internal static class MadeRun
{
    internal const string Hostile = "<script>alert('x')</script> & \"it\" | \u202E\u0001";
    internal const int Rows = 60;

    internal static readonly string[] Classes = ["bad <b>\"", "good"];

    /// <summary>One class a row; every fifth prediction is wrong, and the surer the model is the more rows are right.</summary>
    internal static string OneLabel(string folder, bool hasPairs = false, double sureness = 1, bool hasData = true)
    {
        var labels = Enumerable.Range(0, Rows).Select(row => (float)(row % 2)).ToArray();
        var logits = new float[2 * Rows];
        for (var row = 0; row < Rows; row++) logits[2 * row + (row % 5 == 0 ? 1 - row % 2 : row % 2)] = (float)(sureness * (1 + row % 7) / (row % 5 == 0 ? 4 : 1));
        var rows = new EvalPrediction(logits, Rows, 2, labels);
        if (hasData) Data(folder, hasPairs ? "premise,hypothesis,label" : "text,label", row => (hasPairs ? $"{Cell(Text(row))},{Cell("second " + row)}" : Cell(Text(row))) + "," + Cell(Classes[row % 2]));
        return Finish(folder, rows, Classes, "single_label_classification", new() { ["eval_accuracy"] = rows.IsRight.Count(right => right) / (double)Rows, ["eval_accuracy_baseline"] = 0.5 });
    }

    internal static string SeveralLabels(string folder)
    {
        string[] names = ["red", "green", "blue"];
        var labels = new float[3 * Rows];
        var logits = new float[3 * Rows];
        for (var i = 0; i < labels.Length; i++)
        {
            labels[i] = (i / 3 + i % 3) % 3 == 0 || i % 3 == 0 ? 1 : 0;
            logits[i] = (labels[i] > 0 ? 1 : -1) * (i % 11 == 0 ? -0.5f : 1 + i % 4);
        }
        var rows = new EvalPrediction(logits, Rows, 3, labels, TaskKind.MultiLabel);
        Data(folder, "text,label", row => $"{Cell(Text(row))},{Cell(string.Join(',', names.Where((_, column) => labels[3 * row + column] > 0)))}");
        return Finish(folder, rows, names, "multi_label_classification", new() { ["eval_f1"] = MetricTable.Find("f1", TaskKind.MultiLabel, 3).Compute(rows) });
    }

    internal static string Numbers(string folder)
    {
        float[] labels = [.. Enumerable.Range(0, Rows).Select(row => row / 10f + 0.25f)];
        var rows = new EvalPrediction([.. labels.Select((label, row) => label + (row % 3 - 1) * 0.5f)], Rows, 1, labels, TaskKind.Regression);
        Data(folder, "text,label", row => $"{Cell(Text(row))},{labels[row].ToString(System.Globalization.CultureInfo.InvariantCulture)}");
        return Finish(folder, rows, ["LABEL_0"], "regression", new() { ["eval_mse"] = MetricTable.Find("mse", TaskKind.Regression, 1).Compute(rows) });
    }

    /// <summary>Changes arguments of a run that was made.</summary>
    internal static void Change(string folder, params (string Name, JsonNode? Value)[] changed) => Change(folder, CheckpointFiles.Arguments, changed);

    /// <summary>Changes a file of JSON of a run that was made.</summary>
    internal static void Change(string folder, string file, params (string Name, JsonNode? Value)[] changed)
    {
        var json = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, file)))!.AsObject();
        foreach (var (name, value) in changed)
            if (value is null) json.Remove(name);
            else json[name] = value;
        File.WriteAllText(Path.Combine(folder, file), json.ToJsonString());
    }

    internal static string Text(int row) => row == 0 ? Hostile : $"text {row}, which is read";

    private static string Cell(string text) => $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static void Data(string folder, string head, Func<int, string> line)
    {
        Directory.CreateDirectory(folder);
        string[] lines = [head, .. Enumerable.Range(0, Rows).Select(line)];
        foreach (var file in new[] { "train.csv", "dev.csv" }) File.WriteAllText(Path.Combine(folder, file), string.Join('\n', lines) + "\n");
    }

    private static string Finish(string folder, EvalPrediction rows, string[] names, string task, Dictionary<string, double> results)
    {
        Directory.CreateDirectory(folder);
        results["eval_loss"] = RowLosses.Of(rows).Average();
        results["test_accuracy"] = 0.9;
        results["test_samples"] = 50;
        results["train_runtime"] = 12.5;
        File.WriteAllText(Path.Combine(folder, CheckpointFiles.AllResults), new JsonObject(results.Select(result => KeyValuePair.Create(result.Key, (JsonNode?)result.Value))).ToJsonString());
        File.WriteAllText(Path.Combine(folder, CheckpointFiles.Arguments), new JsonObject
        {
            ["train_file"] = Path.Combine(folder, "train.csv"),
            ["validation_file"] = Path.Combine(folder, "dev.csv"),
            ["task_type"] = null,
            ["seed"] = 42,
            ["learning_rate"] = 1e-3,
            ["per_device_train_batch_size"] = 8,
            ["gradient_accumulation_steps"] = 1,
            ["run_name"] = Hostile,
            ["load_best_model_at_end"] = true,
            ["problem_type"] = task,
        }.ToJsonString());
        var state = new TrainerState { BestGlobalStep = 2, MaxSteps = 2, GlobalStep = 2, NumTrainEpochs = 2 };
        foreach (var step in new[] { 1, 2 })
        {
            state.History.Add(new OrderedDictionary<string, double> { ["epoch"] = step, ["loss"] = 1.0 / step, ["learning_rate"] = 1e-3 / step, ["grad_norm"] = 2, ["step"] = step });
            state.History.Add(new OrderedDictionary<string, double> { ["epoch"] = step, ["eval_loss"] = 0.9 / step, ["step"] = step });
        }
        state.History.Add(new OrderedDictionary<string, double> { ["epoch"] = 2, ["eval_loss"] = 0.45, ["step"] = 2 });
        TrainerStateJson.Write(state, folder);
        File.WriteAllText(Path.Combine(folder, "train_log.jsonl"), """
            {"time": "2026-01-02T03:04:05.000Z", "event": "train_begin", "step": 0}
            {"time": "2026-01-02T03:04:07.000Z", "event": "log", "step": 1, "loss": 1.0}
            {"time": "2026-01-02T03:04:09.000Z", "event": "log", "step": 1, "eval_loss": 0.9}
            {"time": "2026-01-02T03:04:09.500Z", "event": "save", "step": 1, "checkpoint": "checkpoint-1"}
            {"time": "2026-01-02T03:04:10.000Z", "event": "log", "step": 2, "loss": 0.5}
            {"time": "2026-01-
            """);
        RunPredictions.Write(folder, rows, names, isWanted: true);
        Record(rows, names, task).Write(folder);
        return folder;
    }

    internal static RunRecord Record(EvalPrediction rows, IReadOnlyList<string> names, string task) => new(
        [("attune", "9.9.9"), ("processor", "A & B")],
        new ModelRecord("/somewhere/else/model", null, 1234, 2, 128, 8, IsAdapter: false, AdapterOf: null) { ModelType = "albert" },
        new DataRecord("/somewhere/else/train.csv, /somewhere/else/dev.csv", null, task, ["text"], "label", [("train.csv", 100, new string('a', 64))],
        [
            new SplitRecord("train", Rows, new string('b', 64), 7.5, 9, rows.Task == TaskKind.Regression ? [] : [.. names.Select(name => (name, 30L))], rows.Task == TaskKind.Regression ? (3.2, 0.25, 6.15) : null),
            new SplitRecord("evaluation", Rows, new string('c', 64), 7.5, 9, [], null),
        ]));
}
