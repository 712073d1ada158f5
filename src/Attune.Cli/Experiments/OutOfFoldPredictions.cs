using Attune.Metrics;

namespace Attune.Cli.Experiments;

/// <summary>What the folds of a cross-validation predicted of the training texts: of each text the fold that was not trained on it. Several seeds are averaged.</summary>
/// <param name="Prediction">Labels, and logits that give the mean probabilities.</param>
/// <param name="Classes">Names of the classes.</param>
/// <param name="Rows">Of each row its number among the training texts, ascending.</param>
internal sealed record OutOfFoldPredictions(EvalPrediction Prediction, IReadOnlyList<string> Classes, int[] Rows)
{
    /// <summary>Reads them from the folder of an experiment.</summary>
    /// <exception cref="AttuneException">It has none, or they are not of one class a text.</exception>
    internal static OutOfFoldPredictions Read(string folder)
    {
        if (!Directory.Exists(folder)) throw new AttuneException($"{folder}: there is no such folder; name the folder of attune train --folds.");
        var sums = new SortedDictionary<int, (float Label, double[] Scores)>();
        IReadOnlyList<string>? classes = null;
        foreach (var run in FinishedRun.Folders(folder))
        {
            if (RunPredictions.Read(run) is not { Rows: { } rows } read) throw new AttuneException(
                $"{run} has no predictions of texts that it was not trained on; train with --folds 5, and name the folder of that.");
            if (read.Prediction.Task != TaskKind.SingleLabel) throw new AttuneException($"{run} does not have one class a text, which suspects are found by.");
            if (classes is not null && !classes.SequenceEqual(read.Classes)) throw new AttuneException($"{run} has other classes than the other folds of {folder}; train them anew.");
            classes = read.Classes;
            var scores = Probabilities.Softmax(read.Prediction.Logits, classes.Count);
            foreach (var (place, row) in rows.Index())
            {
                if (!sums.TryGetValue(row, out var sum)) sums[row] = sum = (read.Prediction.Labels[place], new double[classes.Count]);
                for (var label = 0; label < classes.Count; label++) sum.Scores[label] += scores[place * classes.Count + label];
            }
        }
        // Softmax of logarithms gives back the sums, divided by how many there are.
        float[] logits = [.. sums.Values.SelectMany(sum => sum.Scores).Select(score => (float)Math.Log(score))];
        return new OutOfFoldPredictions(new EvalPrediction(logits, sums.Count, classes!.Count, [.. sums.Values.Select(sum => sum.Label)]), classes, [.. sums.Keys]);
    }
}
