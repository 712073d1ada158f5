namespace Attune.Metrics;

/// <summary>One place of a <see cref="ThresholdCurve"/>.</summary>
/// <param name="Threshold">Rows of at least this probability count as of the class.</param>
/// <param name="Rows">How many rows that are.</param>
/// <param name="Precision">Share of them that are of the class.</param>
/// <param name="Recall">Share of the class's rows that are among them; 0 where the class has none.</param>
/// <param name="F1">Harmonic mean of the two.</param>
public readonly record struct ThresholdPoint(double Threshold, int Rows, double Precision, double Recall, double F1);

/// <summary>Precision, recall and F1 of one class by the probability from which on a row counts as of it, as scikit-learn's <c>precision_recall_curve</c>.</summary>
public sealed class ThresholdCurve
{
    /// <summary>Of one class against all others.</summary>
    /// <param name="positive">Whether the row is of the class.</param>
    /// <param name="probabilities">Of the class.</param>
    /// <exception cref="ArgumentException">The two differ in length.</exception>
    public ThresholdCurve(ReadOnlySpan<bool> positive, ReadOnlySpan<double> probabilities)
    {
        if (positive.Length != probabilities.Length)
            throw new ArgumentException($"There are {positive.Length} labels and {probabilities.Length} probabilities.", nameof(probabilities));
        var (sorted, kinds) = (probabilities.ToArray(), positive.ToArray());
        Array.Sort(sorted, kinds);
        var positives = kinds.AsSpan().Count(true);
        var points = new List<ThresholdPoint>();
        var hits = 0;
        for (var start = sorted.Length - 1; start >= 0; start--)
        {
            if (kinds[start]) hits++;
            if (start > 0 && sorted[start - 1].Equals(sorted[start])) continue;
            var scores = ClassScores.FromCounts(hits, sorted.Length - start, positives);
            points.Add(new ThresholdPoint(sorted[start], sorted.Length - start, scores.Precision, scores.Recall, scores.F1));
        }
        points.Reverse();
        Points = points;
    }

    /// <summary>A point for each probability that a row has, from the lowest.</summary>
    public IReadOnlyList<ThresholdPoint> Points { get; }

    /// <summary>The point with the highest F1, of equals the lowest threshold; null without rows.</summary>
    public ThresholdPoint? Best => Points.Count == 0 ? null : Points.MaxBy(point => point.F1);

    /// <summary>Of one class, or label, of an evaluation.</summary>
    /// <param name="rows">Of one class a row, or of several labels; rows without a class are passed over.</param>
    /// <param name="column">The class.</param>
    /// <param name="temperature">By which logits are divided. Default 1.</param>
    /// <exception cref="ArgumentException">The rows are of numbers.</exception>
    public static ThresholdCurve Of(EvalPrediction rows, int column, double temperature = 1)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)column, (uint)rows.Columns, nameof(column));
        if (rows.Task == TaskKind.Regression) throw new ArgumentException("Numbers have no classes.", nameof(rows));
        rows = rows.Labelled();
        var scores = Probabilities.Of(rows.Logits, rows.Columns, rows.Task, temperature);
        var (positive, own) = (new bool[rows.Rows], new double[rows.Rows]);
        for (var row = 0; row < own.Length; row++)
        {
            positive[row] = rows.Task == TaskKind.SingleLabel ? rows.Labels[row].Equals(column) : rows.Labels[row * rows.Columns + column] > 0.5f;
            own[row] = scores[row * rows.Columns + column];
        }
        return new ThresholdCurve(positive, own);
    }

    /// <summary>At most so many points, evenly spread over the rows, with the first and the last: enough to draw it.</summary>
    /// <param name="most">At least 2.</param>
    public IReadOnlyList<ThresholdPoint> Thinned(int most) => CurvePoints.Thinned(Points, most);
}
