namespace Attune.Metrics;

/// <summary>By what rows are ranked for their labels to be looked at.</summary>
public enum SuspicionRanking
{
    /// <summary>The probability of the label that is given.</summary>
    SelfConfidence,

    /// <summary>That probability less the highest of any other class, moved to 0 to 1.</summary>
    NormalizedMargin,
}

/// <summary>A row whose label may be wrong.</summary>
/// <param name="Row">Its number among the rows that were given.</param>
/// <param name="Label">The class that is given.</param>
/// <param name="Suggested">The class that it more likely is of: of the others the most probable one that passes its threshold, and where none does the most probable.</param>
/// <param name="Score">0 to 1, the lower the more suspicious.</param>
/// <param name="IsConfident">Whether confident learning counts it as of another class, and not only as doubtful.</param>
public readonly record struct SuspectLabel(int Row, int Label, int Suggested, double Score, bool IsConfident);

/// <summary>
/// Which labels of a data set are likely wrong: confident learning (Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels",
/// 2021). It needs for each row the probabilities of a model that was not trained on the row, such as those of cross-validation.
/// </summary>
/// <remarks>
/// The threshold of a class is the mean probability of it over the rows that are labelled so (equation 2 there). A row counts for the most probable class that
/// reaches its threshold; counted by given label and by that class the rows make the confident joint (equation 1), which, scaled to the number of rows of each label
/// (equation 3), estimates how many labels are wrong.
/// </remarks>
public sealed class LabelErrors
{
    private readonly long[,] _joint;
    private readonly long[] _given;

    /// <summary>Judges the labels of rows.</summary>
    /// <param name="labels">The class that is given for each row; rows below 0 are passed over.</param>
    /// <param name="probabilities">Rows × classes, row-major, of a model that was not trained on the row.</param>
    /// <param name="classes">Number of classes, at least 2.</param>
    /// <param name="ranking">By what <see cref="Ranked"/> is ordered. Default <see cref="SuspicionRanking.SelfConfidence"/>, which found more of labels flipped at random.</param>
    /// <exception cref="ArgumentException">There are more or fewer probabilities than rows times classes, or a label outside of the classes.</exception>
    public LabelErrors(ReadOnlySpan<int> labels, ReadOnlySpan<double> probabilities, int classes, SuspicionRanking ranking = SuspicionRanking.SelfConfidence)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(classes, 2);
        if (probabilities.Length != (long)labels.Length * classes)
            throw new ArgumentException($"There are {probabilities.Length} probabilities for {labels.Length} rows of {classes} classes.", nameof(probabilities));
        (_joint, _given) = (new long[classes, classes], new long[classes]);
        Thresholds = ThresholdsOf(labels, probabilities, classes);
        var ranked = new List<SuspectLabel>(labels.Length);
        for (var row = 0; row < labels.Length; row++)
        {
            if (labels[row] < 0) continue;
            var label = labels[row];
            var scores = probabilities.Slice(row * classes, classes);
            var counted = Likely(scores, Thresholds, without: -1);
            if (counted >= 0) _joint[label, counted]++;
            var other = Highest(scores, without: label);
            var suggested = Likely(scores, Thresholds, without: label) is >= 0 and var likely ? likely : other;
            var score = ranking == SuspicionRanking.SelfConfidence ? scores[label] : (scores[label] - scores[other] + 1) / 2;
            ranked.Add(new SuspectLabel(row, label, suggested, score, counted >= 0 && counted != label));
        }
        Ranked = [.. ranked.OrderBy(suspect => suspect.Score)];
    }

    /// <summary>The threshold of each class; infinite where no row is labelled so.</summary>
    public IReadOnlyList<double> Thresholds { get; }

    /// <summary>All rows, the most suspicious first; of equal scores the earlier row.</summary>
    public IReadOnlyList<SuspectLabel> Ranked { get; }

    /// <summary>The confident joint: rows labelled <paramref name="label"/> that count for <paramref name="likely"/>.</summary>
    public long this[int label, int likely] => _joint[label, likely];

    /// <summary>
    /// How many labels are likely wrong: the rows beside the diagonal of the confident joint, scaled to the number of rows of each label. A weak model's own mistakes
    /// count too: take it for the most that may be wrong.
    /// </summary>
    public int EstimatedErrors
    {
        get
        {
            var wrong = 0.0;
            for (var label = 0; label < _given.Length; label++)
            {
                var counted = 0L;
                for (var likely = 0; likely < _given.Length; likely++) counted += _joint[label, likely];
                if (counted > 0) wrong += (double)_given[label] * (counted - _joint[label, label]) / counted;
            }
            return (int)Math.Round(wrong);
        }
    }

    /// <summary>The rows to look at: as many of <see cref="Ranked"/> as there are <see cref="EstimatedErrors"/>.</summary>
    public IEnumerable<SuspectLabel> Suspects => Ranked.Take(EstimatedErrors);

    /// <summary>Judges the labels of an evaluation.</summary>
    /// <param name="rows">Of one class a row, predicted by a model that was not trained on them.</param>
    /// <param name="ranking">By what <see cref="Ranked"/> is ordered.</param>
    /// <exception cref="ArgumentException">The rows have several labels, or numbers.</exception>
    public static LabelErrors Of(EvalPrediction rows, SuspicionRanking ranking = SuspicionRanking.SelfConfidence)
    {
        ArgumentNullException.ThrowIfNull(rows);
        return rows.Task == TaskKind.SingleLabel ? new LabelErrors(rows.ClassLabels, Probabilities.Softmax(rows.Logits, rows.Columns), rows.Columns, ranking)
            : throw new ArgumentException("Label errors are found among rows of one class each.", nameof(rows));
    }

    private double[] ThresholdsOf(ReadOnlySpan<int> labels, ReadOnlySpan<double> probabilities, int classes)
    {
        var sums = new double[classes];
        for (var row = 0; row < labels.Length; row++)
        {
            if (labels[row] >= classes) throw new ArgumentException($"Row {row} has label {labels[row]}, but there are {classes} classes.", nameof(labels));
            if (labels[row] < 0) continue;
            sums[labels[row]] += probabilities[row * classes + labels[row]];
            _given[labels[row]]++;
        }
        return [.. sums.Select((sum, label) => _given[label] == 0 ? double.PositiveInfinity : sum / _given[label])];
    }

    /// <summary>The most probable class that reaches its threshold, or -1.</summary>
    private static int Likely(ReadOnlySpan<double> scores, IReadOnlyList<double> thresholds, int without)
    {
        var best = -1;
        for (var label = 0; label < scores.Length; label++)
            if (label != without && scores[label] >= thresholds[label] && (best < 0 || scores[label] > scores[best])) best = label;
        return best;
    }

    private static int Highest(ReadOnlySpan<double> scores, int without)
    {
        var best = without == 0 ? 1 : 0;
        for (var label = 0; label < scores.Length; label++)
            if (label != without && scores[label] > scores[best]) best = label;
        return best;
    }
}
