using Attune.Batching;
using Attune.Datasets;
using Attune.Metrics;
using Attune.Tokenization;
using Attune.Training;

namespace Attune.Cli.Reports;

/// <summary>The texts that a run was evaluated on, found again by its arguments, in the order of its predictions.</summary>
/// <param name="Texts">The texts, or the first of each pair.</param>
/// <param name="Pairs">The second texts, or null.</param>
/// <param name="Lengths">Of each text in tokens, uncut; null where the folder has no tokenizer.</param>
/// <param name="PlaceOf">Where each stands in the data.</param>
/// <param name="Files">The files that they stand in; none where they come from no file.</param>
internal sealed record EvaluatedTexts(IReadOnlyList<string> Texts, IReadOnlyList<string>? Pairs, int[]? Lengths, Func<int, RowPlace> PlaceOf, IReadOnlyList<string> Files)
{
    /// <summary>Reads the data of a run again; that of folds, which is the same for all, once.</summary>
    /// <param name="run">With predictions, which are of these texts.</param>
    /// <param name="terminal">Takes the lines that say what was read.</param>
    /// <param name="whyNot">Why there are none, and what to do; null where there are.</param>
    internal static EvaluatedTexts? Find(RunFacts run, Terminal terminal, out string? whyNot)
    {
        try
        {
            return Find(run, terminal, out whyNot, out var found) ? found : null;
        }
        catch (AttuneException e)
        {
            whyNot = $"its data cannot be read again: {e.Message}";
            return null;
        }
    }

    private static bool Find(RunFacts run, Terminal terminal, out string? whyNot, out EvaluatedTexts? found)
    {
        (whyNot, found) = (null, null);
        var (folder, predicted) = (run.Run.Folder, run.Predictions!);
        if (RunConfig.Data(folder) is not { } data || data.Fold is not null && predicted.Rows is null)
            whyNot = "its data is not known; give the run's folder as attune train left it.";
        else if (Read(folder, data, predicted, terminal) is not var (rows, whole))
            whyNot = "its data has changed since; put the files back as they were, or train again.";
        else if (rows.Count != predicted.Prediction.Rows)
            whyNot = $"its predictions are of {predicted.Prediction.Rows} rows, but the run evaluated {rows.Count}: they were written with another --max-eval-samples, or its data has changed since. To write them again: {run.EvaluateAgain}";
        else if (!AreTheSame(rows, predicted.Prediction))
            whyNot = "its data has changed since; put the files back as they were, or train again.";
        else
            found = new EvaluatedTexts(rows.Texts, rows.Pairs, LengthsOf(folder, rows), row => whole.PlaceOf(rows.RowNumbers[row]),
                [.. rows.RowNumbers.Select(row => whole.PlaceOf(row).File).OfType<string>().Distinct()]);
        return found is not null;
    }

    /// <summary>The rows that the run evaluated, and the split that they are of: its validation split, what it set apart, or its folds. Null where it does not have them now.</summary>
    private static (ClassificationRows Rows, Dataset Whole)? Read(string run, DataArguments data, RunPredictions predicted, Terminal terminal)
    {
        var source = DataSource.Load(data, predicted.Classes.Count == 0 ? null : predicted.Classes, mustFit: false, outputDir: null, terminal);
        if (data.Fold is null) source.EnsureValidation(isWanted: true, RunConfig.Seed(run) ?? new TrainingArguments().Seed);
        var (split, most) = data.Fold is null ? (source.Validation, data.MaxEvalSamples) : (DatasetDict.Train, data.MaxTrainSamples);
        if (split is null || source.Rows(split, most) is not { } all) return null;
        if (data.Fold is not null)
        {
            if (predicted.Rows!.Any(row => row >= all.Count)) return null;
            all = Of(all, predicted.Rows!);
        }
        return (all, source.Chosen(split, most));
    }

    private static ClassificationRows Of(ClassificationRows all, int[] rows) => all with
    {
        Texts = new SelectedRows<string>(all.Texts, rows),
        Pairs = all.Pairs is { } pairs ? new SelectedRows<string>(pairs, rows) : null,
        RowNumbers = [.. rows.Select(row => all.RowNumbers[row])],
        Classes = all.Classes is { } classes ? [.. rows.Select(row => classes[row])] : null,
        ClassSets = all.ClassSets is { } sets ? [.. rows.Select(row => sets[row])] : null,
        Targets = all.Targets is { } targets ? [.. rows.Select(row => targets[row])] : null,
    };

    /// <summary>Whether rows have the labels that were predicted.</summary>
    private static bool AreTheSame(ClassificationRows rows, EvalPrediction predicted) => predicted.Task switch
    {
        TaskKind.SingleLabel => rows.Classes is { } classes && classes.Index().All(row => row.Item < 0 ? predicted.Labels[row.Index] < 0 : predicted.Labels[row.Index] == row.Item),
        TaskKind.MultiLabel => rows.ClassSets is not null && rows.MultiHot(predicted.Columns).AsSpan().SequenceEqual(predicted.Labels),
        _ => rows.Targets is { } targets && targets.Index().All(row => Math.Abs(predicted.Labels[row.Index * predicted.Columns] - row.Item) < 1e-5 * Math.Max(1, Math.Abs(row.Item))),
    };

    private static int[]? LengthsOf(string run, ClassificationRows rows)
    {
        if (!Tokenizer.IsIn(run)) return null;
        var encoded = EncodedTexts.Encode(rows.Texts, rows.Pairs, Tokenizer.FromPretrained(run), int.MaxValue).Dataset;
        return [.. encoded.Rows.Select(row => row.Length)];
    }
}
