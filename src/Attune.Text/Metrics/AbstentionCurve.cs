namespace Attune.Metrics;

/// <summary>One place of an <see cref="AbstentionCurve"/>.</summary>
/// <param name="Threshold">Rows of at least this confidence are answered.</param>
/// <param name="Answered">How many rows that are.</param>
/// <param name="Coverage">Their share of all rows.</param>
/// <param name="Accuracy">Share of them that are right.</param>
public readonly record struct AbstentionPoint(double Threshold, int Answered, double Coverage, double Accuracy);

/// <summary>
/// How accurate a model is where it may keep silent: the rows of which it is sure enough are answered, and the others left to someone else (the risk-coverage
/// curve of El-Yaniv and Wiener 2010, with the highest probability as confidence, as Hendrycks and Gimpel 2017).
/// </summary>
public sealed class AbstentionCurve
{
    private readonly int _rows;

    /// <summary>Of rows that are judged.</summary>
    /// <param name="confidences">How sure the model is of each row, 0 to 1.</param>
    /// <param name="isRight">Whether it is right.</param>
    /// <exception cref="ArgumentException">The two differ in length.</exception>
    public AbstentionCurve(ReadOnlySpan<double> confidences, ReadOnlySpan<bool> isRight)
    {
        if (confidences.Length != isRight.Length)
            throw new ArgumentException($"There are {confidences.Length} confidences and {isRight.Length} rows that are right or wrong.", nameof(isRight));
        var (sorted, right) = (confidences.ToArray(), isRight.ToArray());
        Array.Sort(sorted, right);
        _rows = sorted.Length;
        var points = new List<AbstentionPoint>();
        var hits = 0;
        for (var start = sorted.Length - 1; start >= 0; start--)
        {
            if (right[start]) hits++;
            if (start > 0 && sorted[start - 1].Equals(sorted[start])) continue;
            var answered = sorted.Length - start;
            points.Add(new AbstentionPoint(sorted[start], answered, (double)answered / sorted.Length, (double)hits / answered));
        }
        points.Reverse();
        Points = points;
    }

    /// <summary>A point for each confidence that a row has, from the lowest, at which all rows are answered.</summary>
    public IReadOnlyList<AbstentionPoint> Points { get; }

    /// <summary>Of an evaluation.</summary>
    /// <param name="rows">Of one class a row, or of several labels, where a row is as sure as the least sure of its decisions, and right where all are. Rows without a class are passed over.</param>
    /// <param name="temperature">By which logits are divided. Default 1.</param>
    /// <exception cref="ArgumentException">The rows are of numbers.</exception>
    public static AbstentionCurve Of(EvalPrediction rows, double temperature = 1)
    {
        ArgumentNullException.ThrowIfNull(rows);
        if (rows.Task == TaskKind.Regression) throw new ArgumentException("Numbers have no confidence.", nameof(rows));
        rows = rows.Labelled();
        var scores = Probabilities.Of(rows.Logits, rows.Columns, rows.Task, temperature);
        double[]? thresholds = rows.Thresholds is { } plain ? [.. plain.Select(threshold => LabelThresholds.AtTemperature(threshold, temperature))] : null;
        var confidences = new double[rows.Rows];
        for (var row = 0; row < confidences.Length; row++)
            confidences[row] = Probabilities.Confidence(scores.AsSpan(row * rows.Columns, rows.Columns), rows.Task, thresholds);
        return new AbstentionCurve(confidences, rows.IsRight);
    }

    /// <summary>The smallest threshold from which on the answered rows are as accurate as wanted: it keeps most rows.</summary>
    /// <param name="accuracy">0 to 1.</param>
    /// <returns>0 where all rows together reach it; else a value between two rows' confidences. Null where no threshold reaches it.</returns>
    public double? ThresholdFor(double accuracy)
    {
        for (var i = 0; i < Points.Count; i++)
            if (Points[i].Accuracy >= accuracy) return i == 0 ? 0 : Above(Points[i - 1].Threshold, Points[i].Threshold);
        return null;
    }

    /// <summary>What a threshold does on these rows. Where no row is answered the accuracy is not a number.</summary>
    public AbstentionPoint At(double threshold)
    {
        var point = Points.FirstOrDefault(point => point.Threshold >= threshold, new AbstentionPoint(threshold, 0, _rows == 0 ? double.NaN : 0, double.NaN));
        return point with { Threshold = threshold };
    }

    /// <summary>At most so many points, evenly spread over the rows, with the first and the last: enough to draw it.</summary>
    /// <param name="most">At least 2.</param>
    public IReadOnlyList<AbstentionPoint> Thinned(int most) => CurvePoints.Thinned(Points, most);

    private static double Above(double below, double lowest) => (below + lowest) / 2 is var middle && middle > below ? middle : lowest;
}
