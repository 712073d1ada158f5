using System.Text.Json.Nodes;
using Attune.Batching;
using Attune.Checkpoints;
using Attune.Formats;
using Attune.Metrics;
using Attune.Models;
using Attune.Training;

namespace Attune.Tests.Training;

/// <summary>A case of golden/bookkeeping carried out: what it gave, in the words of the golden file.</summary>
internal sealed class BookkeepingRun : IDisposable
{
    private const int DefaultEvalRows = 7;

    private readonly BertForSequenceClassification _model;
    private readonly string _outputDir;

    private BookkeepingRun(BookkeepingSet set, string outputDir)
    {
        _outputDir = outputDir;
        _model = BertForSequenceClassification.FromPretrained(set.ModelFolder);
        Recorder = new RunRecorder(_model);
    }

    internal RunRecorder Recorder { get; }

    /// <summary>What the golden file holds of such a run.</summary>
    internal JsonObject Observed { get; } = [];

    internal TrainingArguments? Arguments { get; private set; }

    internal float[] FinalWeights { get; private set; } = [];

    internal List<IReadOnlyDictionary<string, double>> History { get; } = [];

    public void Dispose() => _model.Dispose();

    /// <summary>Runs a case.</summary>
    /// <param name="set">The golden folder.</param>
    /// <param name="golden">The case.</param>
    /// <param name="outputDir">Where checkpoints go.</param>
    /// <param name="evalRows">How many evaluation rows; null takes the case's own.</param>
    /// <param name="resumeFrom">The step to go on from, with the case's changed arguments; null starts anew.</param>
    internal static BookkeepingRun Of(BookkeepingSet set, JsonObject golden, string outputDir, int? evalRows = null, long? resumeFrom = null)
    {
        var run = new BookkeepingRun(set, outputDir);
        var stage = "arguments";
        Trainer? trainer = null;
        try
        {
            var args = Merge(set.BaseArgs, golden["args"], resumeFrom is null ? null : golden["resume"]!["args"]);
            args["output_dir"] = outputDir;
            run.Arguments = TransformersArguments.FromJson(args).Validated();
            stage = "trainer";
            var evaluation = evalRows ?? golden["eval_n"]?.GetValue<int>() ?? DefaultEvalRows;
            var evalSet = evaluation == 0 ? null : set.Rows("eval", evaluation);
            if (evalSet is not null && run.Arguments.DataloaderDropLast) run.Recorder.EvaluationLoss = () => run.MeanLoss(evalSet);
            trainer = new Trainer(
                run._model, run.Arguments, set.Rows("train", golden["n"]!.GetValue<int>()), evalSet,
                Metrics(golden, resumeFrom is null ? 0 : golden["resume"]!["metrics_from"]?.GetValue<int>() ?? 0),
                [run.Recorder, .. EarlyStopping(golden)]);
            stage = "train";
            var output = trainer.Train(resumeFrom is null ? null : CheckpointFiles.Folder(outputDir, resumeFrom.Value));
            run.Observed["train_loss"] = output.TrainingLoss;
        }
        catch (AttuneException e)
        {
            run.Observed["error"] = new JsonObject { ["stage"] = stage, ["message"] = e.Message };
        }
        if (trainer is not null) run.Describe(trainer);
        return run;
    }

    private static JsonObject Merge(params ReadOnlySpan<JsonNode?> parts)
    {
        var all = new JsonObject();
        foreach (var part in parts)
            foreach (var (name, value) in part?.AsObject() ?? [])
                all[name] = value?.DeepClone();
        return all;
    }

    private static Func<EvalPrediction, IReadOnlyDictionary<string, double>>? Metrics(JsonObject golden, int from)
    {
        if (golden["metrics"] is not JsonObject script) return null;
        var call = from;
        return _ =>
        {
            var values = script.ToDictionary(pair => pair.Key, pair => Number(pair.Value!.AsArray()[Math.Min(call, pair.Value.AsArray().Count - 1)]!));
            call++;
            return values;
        };
    }

    /// <summary>A number, which may be written as a word.</summary>
    internal static double Number(JsonNode node)
    {
        var value = node.AsValue();
        if (value.TryGetValue(out double real)) return real;
        if (value.TryGetValue(out long whole)) return whole;
        if (value.TryGetValue(out int small)) return small;
        return (string)value! switch
        {
            "NaN" => double.NaN,
            "Infinity" => double.PositiveInfinity,
            "-Infinity" => double.NegativeInfinity,
            var other => throw new InvalidOperationException(other),
        };
    }

    private static IEnumerable<TrainerCallback> EarlyStopping(JsonObject golden) => golden["early_stopping"] is not JsonObject given ? [] :
        [new EarlyStoppingCallback(given["early_stopping_patience"]?.GetValue<int>() ?? 1, (double?)given["early_stopping_threshold"] ?? 0)];

    private double MeanLoss(TokenizedDataset rows)
    {
        _model.Training = false;
        using var output = _model.Forward(rows.Batch([.. Enumerable.Range(0, rows.Count)]), new LossOptions { LabelSmoothing = Arguments!.LabelSmoothingFactor });
        return output.Loss!.Value;
    }

    private void Describe(Trainer trainer)
    {
        var state = trainer.State;
        FinalWeights = RunRecorder.Copy(_model);
        History.AddRange(state.LogHistory);
        Observed["global_step"] = state.GlobalStep;
        Observed["epoch"] = state.Epoch;
        Observed["max_steps"] = state.MaxSteps;
        Observed["num_train_epochs"] = state.NumTrainEpochs;
        Observed["logging_steps"] = state.LoggingSteps;
        Observed["eval_steps"] = state.EvalSteps;
        Observed["save_steps"] = state.SaveSteps;
        Observed["best_metric"] = state.BestMetric;
        Observed["best_global_step"] = state.BestGlobalStep;
        Observed["best_model_checkpoint"] = Short(state.BestModelCheckpoint);
        Observed["epochs_begun"] = Recorder.StepsOf("epoch_begin").Count;
        Observed["epochs_ended"] = Recorder.StepsOf("epoch_end").Count;
        Observed["evaluations"] = Array(Recorder.StepsOf("evaluate"));
        Observed["saves"] = Array(Recorder.StepsOf("save"));
        Observed["logs"] = Array(Recorder.StepsOf("log"));
        Observed["events"] = Array(Recorder.Events);
        Observed["lr"] = Array(Recorder.Steps.Select(step => step.LearningRate));
        Observed["loss"] = new JsonArray([.. Recorder.Steps.Select(step => Array(step.Losses))]);
        Observed["rows"] = new JsonArray([.. Recorder.Steps.Select(step => new JsonArray([.. step.Rows.Select(rows => Array(rows))]))]);
        Observed["grad_norm"] = Array(Recorder.Steps.Where(step => step.GradNorm is not null).Select(step => step.GradNorm!.Value));
        Observed["log_history"] = new JsonArray([.. state.LogHistory.Select(TrainerStateJson.Entry)]);
        Observed["weights_at_end_are_those_after_update"] = Array(Recorder.Weights.Where(pair => Same(pair.Value, FinalWeights)).Select(pair => pair.Key));
        Observed["weights_moved_l2"] = Moved();
        DescribeCheckpoints();
    }

    private void DescribeCheckpoints()
    {
        var left = CheckpointFiles.All(_outputDir);
        Observed["checkpoints_left"] = Array(left.Select(folder => Path.GetFileName(folder)!));
        if (left.Count > 0) DescribeCheckpoint(left[^1]);
    }

    /// <summary>Takes a checkpoint's files and state for those of the last one.</summary>
    internal void DescribeCheckpoint(string folder)
    {
        folder = Path.Combine(_outputDir, Path.GetFileName(folder));
        var state = PythonJson.ReadFile(Path.Combine(folder, CheckpointFiles.TrainerState))!.AsObject();
        state["log_history_entries"] = state["log_history"]!.AsArray().Count;
        state.Remove("log_history");
        state["best_model_checkpoint"] = Short((string?)state["best_model_checkpoint"]);
        Observed["trainer_state_of_last_checkpoint"] = state;
        Observed["files_of_last_checkpoint"] = Array(Directory.GetFiles(folder).Select(file => Path.GetFileName(file)!).Order(StringComparer.Ordinal));
    }

    private string? Short(string? folder) => folder is null ? null : "out/" + Path.GetRelativePath(_outputDir, folder);

    private double Moved()
    {
        var (sum, initial) = (0.0, Recorder.Weights[0]);
        foreach (var weight in _model.Weights.All.Where(weight => !weight.Name.EndsWith("key.bias", StringComparison.Ordinal)))
            for (var i = weight.Offset; i < weight.Offset + weight.NumberOfElements; i++)
                sum += Math.Pow((double)FinalWeights[i] - initial[i], 2);
        return Math.Sqrt(sum);
    }

    /// <summary>By value, as in the golden file: -0 equals 0, and what is not a number equals nothing.</summary>
    private static bool Same(float[] a, float[] b) => a.Zip(b).All(pair => pair.First == pair.Second);

    private static JsonArray Array<T>(IEnumerable<T> items) => new([.. items.Select(item => (JsonNode?)JsonValue.Create(item))]);
}
