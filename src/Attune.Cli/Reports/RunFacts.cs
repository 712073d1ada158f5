using Attune.Checkpoints;
using Attune.Cli.Experiments;
using Attune.Inference;
using Attune.Metrics;

namespace Attune.Cli.Reports;

/// <summary>All that the folder of a run tells, from which a report and a model card are made.</summary>
/// <param name="Runs">The run; of a cross-validation the run of each fold.</param>
/// <param name="Folder">As the user named it.</param>
/// <param name="Record">What it was made of and on; null for runs of versions that did not write it.</param>
/// <param name="Predictions">What was predicted of the evaluated texts, those of folds together in the order of the training texts; null where that was not kept.</param>
/// <param name="Settings">How answers of the model are made; of folds, which have each their own, without temperature and thresholds.</param>
internal sealed record RunFacts(IReadOnlyList<FinishedRun> Runs, string Folder, RunRecord? Record, RunPredictions? Predictions, PredictionSettings Settings)
{
    private (double[] Scores, IReadOnlyList<double>? Thresholds)? _answers;

    /// <summary>Reads a folder.</summary>
    /// <exception cref="AttuneException">It is not that of a finished run or of a cross-validation, or a file in it is damaged.</exception>
    internal static RunFacts Read(string folder)
    {
        string[] folders = [.. FinishedRun.Folders(folder).Select(Path.TrimEndingDirectorySeparator)];
        FinishedRun[] runs = [.. folders.Select(FinishedRun.Read)];
        if (runs.Length > 1 && (runs.Any(run => run.Arguments["fold"] is null) || runs.DistinctBy(run => run.Arguments["seed"]?.ToString()).Count() > 1))
            throw new AttuneException($"{folder} holds {runs.Length} runs that are not the folds of one cross-validation; name one of them, such as {folders[0]}.");
        var (named, record, settings) = (Path.TrimEndingDirectorySeparator(folder), RunRecord.Read(folders[0]), PredictionSettings.Load(folders[0]));
        if (runs is [_])
            return new RunFacts(runs, named, record, RunPredictions.Read(folders[0]), settings) { TestPredictions = RunPredictions.Read(folders[0], CheckpointFiles.TestPredictions) };
        var folds = folders.Select(run => (run, RunPredictions.Read(run))).ToList();
        return new RunFacts(runs, named, record, folds.All(fold => fold.Item2?.Rows is not null) ? OutOfFoldPredictions.Joined(folds!) : null,
            settings with { Temperature = 1, AbstainBelow = null, Threshold = LabelThresholds.Usual, Thresholds = new Dictionary<string, double>() });
    }

    /// <summary>The run, or that of the first fold.</summary>
    internal FinishedRun Run => Runs[0];

    /// <summary>Whether the predictions are of several folds, so of all training rows.</summary>
    internal bool AreFolds => Runs.Count > 1;

    /// <summary>What the run is called.</summary>
    internal string Name => Names.LastPart(Folder);

    /// <summary>
    /// The evaluated rows that have a label, as the model is: metrics are of these. With the thresholds of the model's folder as they are for probabilities without its
    /// temperature. Null where predictions were not kept.
    /// </summary>
    internal EvalPrediction? Rows { get; } = Decided(Predictions, Settings);

    /// <summary>What was predicted of the test split; null where that was not kept.</summary>
    internal RunPredictions? TestPredictions { get; init; }

    /// <summary>The rows of the test split that have a label, as <see cref="Rows"/>.</summary>
    internal EvalPrediction? TestRows => Decided(TestPredictions, Settings);

    /// <summary>Of each of <see cref="Rows"/> its number among all that were evaluated.</summary>
    internal IReadOnlyList<int> RowNumbers { get; } = Predictions is null ? []
        : [.. Enumerable.Range(0, Predictions.Prediction.Rows).Where(row => Predictions.Prediction.Task != TaskKind.SingleLabel || Predictions.Prediction.Labels[row] >= 0)];

    /// <summary>How sure the model is of one of <see cref="Rows"/> where it answers now: as <c>attune predict</c> says it, with the temperature of its folder.</summary>
    internal double Confidence(int row)
    {
        var rows = Rows!;
        var (scores, thresholds) = _answers ??= (Probabilities.Of(rows.Logits, rows.Columns, rows.Task, Settings.Temperature), Settings.HasUsualThresholds ? null : Settings.ThresholdsOf(Classes));
        return Probabilities.Confidence(scores.AsSpan(row * rows.Columns, rows.Columns), rows.Task, thresholds);
    }

    /// <summary>The names of the classes; none of numbers, and where they are not known.</summary>
    internal IReadOnlyList<string> Classes => Predictions?.Classes ?? TestPredictions?.Classes ?? [];

    /// <summary>The command that evaluates the rows of the run again, and leaves what is predicted of them.</summary>
    internal string EvaluateAgain
    {
        get
        {
            // The run's own limit on the rows is not taken from it, for who evaluates may want all of them.
            var most = Run.Arguments["max_eval_samples"] is { } limit ? $" --max-eval-samples {limit}{((bool?)Run.Arguments["stratify_samples"] == true ? " --stratify-samples" : "")}" : "";
            return $"attune evaluate {Folder} --save-eval-predictions true{most} --output-dir {Folder}";
        }
    }

    /// <summary>Why there are no predictions, and how to have them.</summary>
    internal string WithoutPredictions => AreFolds
        ? $"Left out: not every fold has {CheckpointFiles.EvalPredictions} with the numbers of its rows. Train them again with --save-eval-predictions true."
        : $"Left out: the run has no {CheckpointFiles.EvalPredictions}. To write it: {EvaluateAgain}";

    private static EvalPrediction? Decided(RunPredictions? predictions, PredictionSettings settings) => predictions is null ? null
        : (predictions.Prediction.Task == TaskKind.MultiLabel && !settings.HasUsualThresholds
            ? predictions.Prediction with { Thresholds = EvaluationNotes.Plain(settings.ThresholdsOf(predictions.Classes), settings.Temperature) } : predictions.Prediction).Labelled();
}
