namespace Attune.Metrics;

/// <summary>
/// Confidence intervals of any metric: the rows are drawn anew with replacement, the metric is computed of each draw, and 95 of 100 of these values lie
/// in the interval (the percentile method of Efron and Tibshirani 1993). The same seed gives the same interval.
/// </summary>
public static class Bootstrap
{
    /// <summary>How often rows are drawn unless it is said: enough for an end of the interval to be right to some hundredths of its width.</summary>
    public const int DefaultDraws = 1000;

    /// <summary>Of any metric; computes it anew for each draw. <see cref="OfClasses"/> is much faster for the scores that it knows.</summary>
    /// <param name="rows">What was predicted; rows without a class are passed over.</param>
    /// <param name="metric">From predictions to the number, such as <see cref="Metric.Compute"/>; a draw in which it is not a number is left out.</param>
    /// <param name="draws">How often rows are drawn, at least 1.</param>
    /// <param name="seed">Of the draws.</param>
    /// <returns>Not a number at both ends where no draw has a number.</returns>
    public static Interval Of(EvalPrediction rows, Func<EvalPrediction, double> metric, int draws = DefaultDraws, long seed = 42)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(metric);
        ArgumentOutOfRangeException.ThrowIfLessThan(draws, 1);
        rows = rows.Labelled();
        var values = new List<double>(draws);
        var drawn = new int[rows.Rows];
        for (var draw = 0; draw < draws && drawn.Length > 0; draw++)
        {
            Redraw.Rows(seed, draw, drawn);
            values.Add(metric(Redraw.Select(rows, drawn)));
        }
        return Redraw.Middle(values);
    }

    /// <summary>Of accuracy, and of precision, recall and F1 of each class and of all: a row is counted once, and a draw only adds up counts.</summary>
    /// <param name="rows">What was predicted, of one class a row or of several labels; rows without a class are passed over.</param>
    /// <param name="draws">How often rows are drawn, at least 1.</param>
    /// <param name="seed">Of the draws.</param>
    /// <exception cref="ArgumentException">The rows are of numbers.</exception>
    public static ClassIntervals OfClasses(EvalPrediction rows, int draws = DefaultDraws, long seed = 42)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentOutOfRangeException.ThrowIfLessThan(draws, 1);
        if (rows.Task == TaskKind.Regression) throw new ArgumentException("Numbers have no classes.", nameof(rows));
        return new ClassDraws(rows.Labelled()).Intervals(draws, seed);
    }
}

/// <summary>The intervals of precision, recall and F1.</summary>
public readonly record struct ScoreIntervals(Interval Precision, Interval Recall, Interval F1);

/// <summary>The intervals of the scores of all classes.</summary>
/// <param name="Accuracy">Of the share of rows that are right; of several labels, of those whose labels are all right and no others.</param>
/// <param name="Macro">Of the means over the classes, as <see cref="ConfusionMatrix.Average"/> and <see cref="MultiLabelScores.Average"/> take them.</param>
/// <param name="Micro">Of the scores of all decisions counted together.</param>
/// <param name="Classes">Of each class.</param>
public sealed record ClassIntervals(Interval Accuracy, ScoreIntervals Macro, ScoreIntervals Micro, IReadOnlyList<ScoreIntervals> Classes);
