namespace Attune.Metrics;

/// <summary>From which probability on a label of several counts as predicted: chosen so that F1 is highest on given rows.</summary>
/// <remarks>
/// F1 changes only where a threshold passes the probability of a row, so every choice that differs is tried. Of choices that are equally good
/// the one nearest to 0.5 is taken, and 0.5 itself where it is one of them; else the middle between two rows.
/// </remarks>
public static class LabelThresholds
{
    /// <summary>The threshold where nothing else is chosen: that of transformers' scripts.</summary>
    public const double Usual = 0.5;

    /// <summary>Whether a label counts as predicted: a threshold that is given or chosen is reached, and <see cref="Usual"/>, as in transformers, exceeded.</summary>
    /// <param name="probability">Of the label.</param>
    /// <param name="threshold">Null for <see cref="Usual"/>.</param>
    internal static bool Counts(double probability, double? threshold) => threshold is { } least ? probability >= least : probability > Usual;

    /// <summary>The threshold on probabilities with a temperature that decides as another does on those without: σ(ln(t / (1 − t)) / temperature).</summary>
    /// <param name="threshold">On probabilities without temperature, 0 to 1.</param>
    /// <param name="temperature">By which logits are divided, above 0; its reciprocal leads back.</param>
    public static double AtTemperature(double threshold, double temperature) =>
        threshold is <= 0 or >= 1 ? threshold : 1 / (1 + Math.Pow((1 - threshold) / threshold, 1 / temperature));

    /// <summary>A threshold for each label, by the label's own F1; so the macro mean of F1 is highest too.</summary>
    /// <param name="labels">Rows × columns, row-major: whether the row has the label.</param>
    /// <param name="probabilities">Rows × columns, row-major.</param>
    /// <param name="columns">Number of labels.</param>
    /// <returns>0 to 1 each; <see cref="Usual"/> for a label that no row has.</returns>
    public static double[] BestF1(ReadOnlySpan<bool> labels, ReadOnlySpan<double> probabilities, int columns)
    {
        var thresholds = new double[columns];
        var (kinds, scores) = (new bool[labels.Length / columns], new double[labels.Length / columns]);
        for (var column = 0; column < columns; column++)
        {
            for (var row = 0; row < kinds.Length; row++)
                (kinds[row], scores[row]) = (labels[row * columns + column], probabilities[row * columns + column]);
            thresholds[column] = Best(kinds, scores);
        }
        return thresholds;
    }

    /// <summary>One threshold for all labels, by the micro average of F1.</summary>
    /// <param name="labels">Whether the row has the label, for every row and label.</param>
    /// <param name="probabilities">In the same order.</param>
    public static double BestMicroF1(ReadOnlySpan<bool> labels, ReadOnlySpan<double> probabilities) => Best(labels.ToArray(), probabilities.ToArray());

    private static double Best(bool[] kinds, double[] scores)
    {
        var positives = kinds.AsSpan().Count(true);
        if (positives == 0) return Usual;
        var (sorted, hit) = ((double[])scores.Clone(), (bool[])kinds.Clone());
        Array.Sort(sorted, hit);
        double best = Usual, bestF1 = -1;
        var hits = 0;
        for (var end = sorted.Length; end > 0;)
        {
            var start = end - 1;
            while (start > 0 && sorted[start - 1].Equals(sorted[end - 1])) start--;
            hits += hit.AsSpan(start, end - start).Count(true);
            var f1 = 2.0 * hits / (sorted.Length - start + positives);
            var threshold = Between(start == 0 ? 0 : sorted[start - 1], sorted[start]);
            if (f1 > bestF1 || f1.Equals(bestF1) && Math.Abs(threshold - Usual) < Math.Abs(best - Usual)) (best, bestF1) = (threshold, f1);
            end = start;
        }
        return best;
    }

    /// <summary>Above <paramref name="below"/> and at most <paramref name="lowest"/>, the lowest probability that counts.</summary>
    private static double Between(double below, double lowest)
    {
        if (below < Usual && Usual <= lowest) return Usual;
        var middle = (below + lowest) / 2;
        return middle > below ? middle : lowest;
    }
}
