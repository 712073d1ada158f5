using Attune.Metrics;

namespace Attune.Cli.Experiments;

/// <summary>What the folds of a cross-validation predicted of the training texts: of each text the fold that was not trained on it. Several seeds are averaged.</summary>
internal static class OutOfFoldPredictions
{
    /// <summary>Reads them from the folder of an experiment.</summary>
    /// <exception cref="AttuneException">It has none, or they are not of one class a text.</exception>
    internal static RunPredictions Read(string folder)
    {
        if (!Directory.Exists(folder)) throw new AttuneException($"{folder}: there is no such folder; name the folder of attune train --folds.");
        var folds = new List<(string, RunPredictions)>();
        foreach (var run in FinishedRun.Folders(folder))
        {
            if (RunPredictions.Read(run) is not { Rows: not null } read) throw new AttuneException(
                $"{run} has no predictions of texts that it was not trained on; train with --folds 5, and name the folder of that.");
            if (read.Prediction.Task != TaskKind.SingleLabel) throw new AttuneException($"{run} does not have one class a text, which suspects are found by.");
            folds.Add((run, read));
        }
        return Joined(folds);
    }

    /// <summary>Puts folds together, in the order of the training texts; what several say of a text is averaged.</summary>
    /// <param name="folds">Their folders, and what they predicted, with the numbers of the texts; at least one.</param>
    /// <exception cref="AttuneException">Their classes are not the same.</exception>
    internal static RunPredictions Joined(IReadOnlyList<(string Run, RunPredictions Predicted)> folds)
    {
        var ((task, columns), classes) = ((folds[0].Predicted.Prediction.Task, folds[0].Predicted.Prediction.Columns), folds[0].Predicted.Classes);
        var sums = new SortedDictionary<int, (float[] Labels, double[] Scores, int Times)>();
        foreach (var (run, predicted) in folds)
        {
            var rows = predicted.Prediction;
            if (rows.Task != task || !predicted.Classes.SequenceEqual(classes)) throw new AttuneException($"{run} has other classes than the other folds; train them anew.");
            var scores = Probabilities.Of(rows.Logits, columns, task);
            var labels = rows.Labels.Length / rows.Rows;
            foreach (var (place, row) in predicted.Rows!.Index())
            {
                if (!sums.TryGetValue(row, out var sum)) sum = (rows.Labels[(place * labels)..((place + 1) * labels)], new double[columns], 0);
                for (var column = 0; column < columns; column++) sum.Scores[column] += scores[place * columns + column];
                sums[row] = (sum.Labels, sum.Scores, sum.Times + 1);
            }
        }
        float[] logits = [.. sums.Values.SelectMany(sum => sum.Scores.Select(score => Logit(score / sum.Times)))];
        return new RunPredictions(new EvalPrediction(logits, sums.Count, columns, [.. sums.Values.SelectMany(sum => sum.Labels)], task), classes) { Rows = [.. sums.Keys] };

        float Logit(double score) => (float)(task switch
        {
            TaskKind.SingleLabel => Math.Log(score),                    // whose softmax they are
            TaskKind.MultiLabel => Math.Log(score) - Math.Log(1 - score),
            _ => score,
        });
    }
}
