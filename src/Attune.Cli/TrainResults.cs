using System.Text.Json.Nodes;
using Attune.Batching;
using Attune.Checkpoints;
using Attune.Cli.Experiments;
using Attune.Cli.Reports;
using Attune.Formats;
using Attune.Inference;
using Attune.Metrics;
using Attune.Training;

namespace Attune.Cli;

/// <summary>The results of a run: printed, and written into its folder under the names of transformers' scripts.</summary>
/// <param name="trainer">Of the run.</param>
/// <param name="source">Its data set.</param>
/// <param name="output">In which form the results are printed.</param>
/// <param name="isPart">Whether the run is one of several, whose results are told and not printed: what is printed is theirs together.</param>
/// <param name="terminal">Takes them.</param>
internal sealed class TrainResults(Trainer trainer, DataSource source, OutputArguments output, bool isPart, Terminal terminal)
{
    private readonly JsonObject _json = [];
    private EvalPrediction? _evaluated, _tested;
    private IReadOnlyList<double>? _thresholds;                            // of the labels; null for 0.5
    private AnswerCalibration _calibration = AnswerCalibration.None;

    private string Folder => trainer.Args.OutputDir;

    /// <inheritdoc cref="RunEnd.Interrupted"/>
    internal int Interrupted(TrainOutput run, int code) => new RunEnd(trainer, isPart, terminal).Interrupted(run, code);

    /// <summary>The same where training was complete and its results were still to come.</summary>
    internal int InterruptedAfterTraining(int code)
    {
        terminal.Note($"Stopped; the trained model is in {Folder}, but not all of its results. " +
            (isPart ? "Give the same command again to go on." : $"Try: attune evaluate {Folder}"));
        return ExitCode.WithoutState(code);
    }

    internal void Train(TrainOutput run, int rows) => _json["train"] = new RunEnd(trainer, isPart, terminal).Trained(run, rows);

    /// <summary>Measures the validation split, and as run_glue.py does MNLI's other one, whose metrics have _mm behind their names.</summary>
    /// <param name="data">The rows.</param>
    /// <param name="mismatched">MNLI's other ones, or null.</param>
    /// <param name="numbers">Of a fold the numbers of its texts among the training texts; else null.</param>
    /// <param name="cancellation">Ends it between two batches.</param>
    internal void Evaluation(TokenizedDataset data, TokenizedDataset? mismatched, int[]? numbers, CancellationToken cancellation)
    {
        var output = trainer.EvaluateRows(data, cancellation: cancellation);
        var measured = output.Prediction!;
        if (source.Threshold is { } choice) Choose(choice.Of(measured), isChosen: choice.Number is null);
        _calibration = AnswerCalibration.Of(source, measured with { Thresholds = _thresholds }, new PredictionSettings(), terminal.Tell);
        _calibration.SaveWhereAsked(Folder, source);
        var metrics = WithOptions(output.Metrics, measured, "eval");
        var baseline = trainer.Args.PredictionLossOnly ? new Dictionary<string, double>() : EvaluationNotes.Baseline(measured, source, "eval");
        var written = new OrderedDictionary<string, double>(metrics.Concat(baseline)) { ["eval_samples"] = data.Texts };
        Add("eval", metrics);
        _json["eval"] = TrainerStateJson.Entry(new OrderedDictionary<string, double>(metrics.Concat(baseline)));
        if (baseline.Count > 0) terminal.Tell(EvaluationNotes.Describe(baseline, measured, source));
        _evaluated = measured with { Thresholds = _thresholds };
        RunPredictions.Write(Folder, _evaluated, source.ModelLabels, source.SavesEvalPredictions, numbers);
        if (mismatched is not null)
        {
            var second = new OrderedDictionary<string, double>(
                trainer.Evaluate(mismatched, cancellation: cancellation).Select(metric => KeyValuePair.Create(metric.Key + "_mm", metric.Value)));
            foreach (var (name, value) in second) written[name] = value;
            written["eval_samples_mm"] = mismatched.Texts;
            Add("eval_mm", second);
        }
        trainer.SaveMetrics("eval", written);
        trainer.SaveState();
    }

    /// <summary>The metrics, and those at the thresholds and the temperature that were chosen.</summary>
    private OrderedDictionary<string, double> WithOptions(IReadOnlyDictionary<string, double> metrics, EvalPrediction measured, string prefix)
    {
        var all = new OrderedDictionary<string, double>(metrics.Concat(
            EvaluationNotes.AtThresholds(measured, trainer.Args.PredictionLossOnly ? null : _thresholds, source, prefix)));
        _calibration.AddTo(all, measured with { Thresholds = _thresholds }, prefix);
        return all;
    }

    /// <summary>Uses thresholds from here on, and leaves them to those who predict with the model.</summary>
    private void Choose(IReadOnlyList<double> thresholds, bool isChosen)
    {
        _thresholds = thresholds;
        EvaluationNotes.Save(Folder, thresholds, source.ModelLabels);
        if (isChosen) terminal.Tell($"{EvaluationNotes.Describe(thresholds, source.ModelLabels)}, chosen on the evaluation rows; attune predict takes them from {PredictionSettings.FileName}.");
    }

    /// <summary>Predicts the test split: metrics where it has labels, and the predictions as the scripts of transformers write them.</summary>
    internal void Test(TokenizedDataset data, IReadOnlyList<string>? kinds, CancellationToken cancellation)
    {
        var predictions = Predictions(data, "predict_results.txt", cancellation);
        if (predictions.Prediction is not { } measured) return;
        _tested = measured with { Thresholds = _thresholds };
        RunPredictions.Write(Folder, _tested, source.ModelLabels, source.SavesEvalPredictions, file: CheckpointFiles.TestPredictions);
        var byKind = kinds is not null && predictions.Labels is ClassLabels labels ? ByKind(predictions, labels, kinds) : [];
        var metrics = WithOptions(predictions.Metrics, measured, "test");
        trainer.SaveMetrics("test", new OrderedDictionary<string, double>(metrics.Concat(byKind)) { ["test_samples"] = data.Texts });
        Add("test", metrics);
        if (byKind.Count == 0) return;
        terminal.Tell("The rows of the embedded test split are marked by what makes them hard; test_accuracy_irony is the accuracy of the ironic ones, and so on.");
        Add("test_by_kind", byKind);
    }

    /// <summary>Predicts a split and writes what comes out.</summary>
    internal PredictionOutput Predictions(TokenizedDataset data, string file, CancellationToken cancellation)
    {
        var predictions = trainer.Predict(data, cancellation: cancellation);
        AtomicFile.WriteText(Path.Combine(Folder, file), PredictionTable.Of(predictions, source, _thresholds));
        return predictions;
    }

    /// <summary>Writes what the run was made of, and the model card; gives the exit code.</summary>
    internal int Finish(RunRecord record)
    {
        RunDocuments.Write(record, FinishedRun.Read(Folder), Kept(_evaluated), Kept(_tested));
        _json["output_dir"] = Folder;
        if (isPart) return ExitCode.Success;
        if (output.Json) terminal.Result(PythonJson.Write(_json, ensureAscii: false));
        terminal.Tell($"The model is in {Folder}. Try: attune predict --model {Folder} \"a text\"");
        return ExitCode.Success;
    }

    private RunPredictions? Kept(EvalPrediction? rows) => rows is null ? null : RunPredictions.Of(rows, source.ModelLabels);

    private void Add(string split, IReadOnlyDictionary<string, double> metrics)
    {
        _json[split] = TrainerStateJson.Entry(metrics);
        if (isPart) terminal.Tell(PythonDict.Of(metrics));
        else if (!output.Json) terminal.Result(PythonDict.Of(metrics));
    }

    private static Dictionary<string, double> ByKind(PredictionOutput predictions, ClassLabels labels, IReadOnlyList<string> kinds)
    {
        var predicted = Probabilities.ArgMax<float>(predictions.Logits, predictions.Columns);
        return kinds.Index().GroupBy(row => row.Item, row => predicted[row.Index] == labels.Values[row.Index])
            .OrderBy(kind => kind.Key, StringComparer.Ordinal)
            .ToDictionary(kind => "test_accuracy_" + kind.Key, kind => Math.Round(kind.Count(isRight => isRight) / (double)kind.Count(), 4));
    }
}
