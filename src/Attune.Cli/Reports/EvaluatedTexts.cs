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
internal sealed record EvaluatedTexts(IReadOnlyList<string> Texts, IReadOnlyList<string>? Pairs, int[]? Lengths)
{
    /// <summary>Reads the data of a run again.</summary>
    /// <param name="run">Its folder.</param>
    /// <param name="predictions">Of these texts.</param>
    /// <param name="terminal">Takes the lines that say what was read.</param>
    /// <param name="whyNot">Why there are none, and what to do; null where there are.</param>
    internal static EvaluatedTexts? Find(string run, RunPredictions predictions, Terminal terminal, out string? whyNot)
    {
        whyNot = null;
        try
        {
            if (Rows(run, predictions, terminal) is not { } rows)
                whyNot = "its data is not known; give the run's folder as attune train left it.";
            else if (!AreTheSame(rows, predictions.Prediction))
                whyNot = "its data has changed since; put the files back as they were, or train again.";
            else return new EvaluatedTexts(rows.Texts, rows.Pairs, LengthsOf(run, rows));
        }
        catch (AttuneException e)
        {
            whyNot = $"its data cannot be read again: {e.Message}";
        }
        return null;
    }

    /// <summary>The same for several runs, one after the other.</summary>
    internal static EvaluatedTexts Joined(IReadOnlyList<EvaluatedTexts> parts) => new(
        [.. parts.SelectMany(part => part.Texts)], parts.Any(part => part.Pairs is null) ? null : [.. parts.SelectMany(part => part.Pairs!)],
        parts.Any(part => part.Lengths is null) ? null : [.. parts.SelectMany(part => part.Lengths!)]);

    /// <summary>The rows that the run evaluated: its validation split, what it set apart, or its fold.</summary>
    private static ClassificationRows? Rows(string run, RunPredictions predictions, Terminal terminal)
    {
        if (RunConfig.Data(run) is not { } data) return null;
        var source = DataSource.Load(data, predictions.Classes.Count == 0 ? null : predictions.Classes, mustFit: false, outputDir: null, terminal);
        var seed = RunConfig.Seed(run) ?? new TrainingArguments().Seed;
        if (data.Fold is not null)
            return predictions.Rows is { } numbers && source.Rows(DatasetDict.Train, data.MaxTrainSamples) is { } all && numbers.All(row => row < all.Count) ? Of(all, numbers) : null;
        source.EnsureValidation(isWanted: true, seed);
        return source.Validation is { } split ? source.Rows(split, data.MaxEvalSamples) : null;
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
    private static bool AreTheSame(ClassificationRows rows, EvalPrediction predicted)
    {
        if (rows.Count != predicted.Rows) return false;
        return predicted.Task switch
        {
            TaskKind.SingleLabel => rows.Classes is { } classes && classes.Index().All(row => row.Item < 0 ? predicted.Labels[row.Index] < 0 : predicted.Labels[row.Index] == row.Item),
            TaskKind.MultiLabel => rows.ClassSets is not null && rows.MultiHot(predicted.Columns).AsSpan().SequenceEqual(predicted.Labels),
            _ => rows.Targets is { } targets && targets.Index().All(row => Math.Abs(predicted.Labels[row.Index * predicted.Columns] - row.Item) < 1e-5 * Math.Max(1, Math.Abs(row.Item))),
        };
    }

    private static int[]? LengthsOf(string run, ClassificationRows rows)
    {
        if (!Tokenizer.IsIn(run)) return null;
        var encoded = EncodedTexts.Encode(rows.Texts, rows.Pairs, Tokenizer.FromPretrained(run), int.MaxValue).Dataset;
        return [.. encoded.Rows.Select(row => row.Length)];
    }
}
