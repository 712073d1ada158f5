using Attune.Checkpoints;
using Attune.Cli.Experiments;
using Attune.Inference;
using Attune.Metrics;

namespace Attune.Cli.Reports;

/// <summary>All that the folder of a run tells, from which a report and a model card are made.</summary>
/// <param name="Runs">The run; of a cross-validation the run of each fold.</param>
/// <param name="Folder">As the user named it.</param>
/// <param name="Record">What it was made of and on; null for runs of versions that did not write it.</param>
/// <param name="Predictions">What was predicted of the evaluated texts, those of folds one after the other; null where that was not kept.</param>
/// <param name="Settings">How answers of the model are made.</param>
internal sealed record RunFacts(IReadOnlyList<FinishedRun> Runs, string Folder, RunRecord? Record, RunPredictions? Predictions, PredictionSettings Settings)
{
    /// <summary>Reads a folder.</summary>
    /// <exception cref="AttuneException">It is not that of a finished run or of a cross-validation, or a file in it is damaged.</exception>
    internal static RunFacts Read(string folder)
    {
        string[] folders = [.. FinishedRun.Folders(folder).Select(Path.TrimEndingDirectorySeparator)];
        FinishedRun[] runs = [.. folders.Select(FinishedRun.Read)];
        if (runs.Length > 1 && (runs.Any(run => run.Arguments["fold"] is null) || runs.DistinctBy(run => run.Arguments["seed"]?.ToString()).Count() > 1))
            throw new AttuneException($"{folder} holds {runs.Length} runs that are not the folds of one cross-validation; name one of them, such as {folders[0]}.");
        return new RunFacts(runs, Path.TrimEndingDirectorySeparator(folder), RunRecord.Read(folders[0]), Joined([.. folders.Select(RunPredictions.Read)]), PredictionSettings.Load(folders[0]));
    }

    /// <summary>The run, or that of the first fold.</summary>
    internal FinishedRun Run => Runs[0];

    /// <summary>Whether the predictions are of several folds, so of all training rows.</summary>
    internal bool AreFolds => Runs.Count > 1;

    /// <summary>What the run is called.</summary>
    internal string Name => Path.GetFileName(Path.GetFullPath(Folder));

    /// <summary>The evaluated rows that have a label, with the thresholds of the model's folder as they are for probabilities without its temperature; null where predictions were not kept.</summary>
    internal EvalPrediction? Rows { get; } = Predictions is null ? null
        : (Predictions.Prediction.Task == TaskKind.MultiLabel && !Settings.HasUsualThresholds
            ? Predictions.Prediction with { Thresholds = EvaluationNotes.Plain(Settings.ThresholdsOf(Predictions.Classes), Settings.Temperature) } : Predictions.Prediction).Labelled();

    /// <summary>Of each of <see cref="Rows"/> its number among all that were evaluated.</summary>
    internal IReadOnlyList<int> RowNumbers { get; } = Predictions is null ? []
        : [.. Enumerable.Range(0, Predictions.Prediction.Rows).Where(row => Predictions.Prediction.Task != TaskKind.SingleLabel || Predictions.Prediction.Labels[row] >= 0)];

    /// <summary>What a row is called: its number among the evaluated rows, and where these were a fold among the training rows.</summary>
    internal string NumberOf(int row) => Pages.Figures.Count(Predictions!.Rows is { } numbers ? numbers[RowNumbers[row]] : RowNumbers[row]);

    /// <summary>The names of the classes; none of numbers, and where they are not known.</summary>
    internal IReadOnlyList<string> Classes => Predictions?.Classes ?? [];

    /// <summary>Why there are no predictions, and how to have them.</summary>
    internal string WithoutPredictions => AreFolds
        ? $"Left out: not every fold has {CheckpointFiles.EvalPredictions}. Train them again with --save-eval-predictions true."
        : $"Left out: the run has no {CheckpointFiles.EvalPredictions}. To write it: attune evaluate {Folder} --save-eval-predictions true --output-dir {Folder}";

    private static RunPredictions? Joined(RunPredictions?[] parts)
    {
        if (parts is [var one]) return one;
        if (parts.Any(part => part is null) || parts.Any(part => !part!.Classes.SequenceEqual(parts[0]!.Classes))) return null;
        var all = parts.Select(part => part!.Prediction).ToList();
        return parts[0]! with
        {
            Rows = parts.All(part => part!.Rows is not null) ? [.. parts.SelectMany(part => part!.Rows!)] : null,
            Prediction = all[0] with
            {
                Logits = [.. all.SelectMany(part => part.Logits)],
                Labels = [.. all.SelectMany(part => part.Labels)],
                Rows = all.Sum(part => part.Rows),
            },
        };
    }
}
