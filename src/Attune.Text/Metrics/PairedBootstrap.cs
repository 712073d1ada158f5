namespace Attune.Metrics;

/// <summary>
/// How sure a difference of two runs' metric is: rows are drawn anew with replacement, the same for both, and the metric computed again
/// (Efron and Tibshirani 1993; for test sets Koehn 2004).
/// </summary>
/// <param name="Difference">The second's metric less the first's.</param>
/// <param name="Low">Lower end of the interval that holds 95 of 100 redrawn differences.</param>
/// <param name="High">Its upper end.</param>
/// <param name="P">Twice the smaller share of redrawn differences at or beyond 0, at most 1; each counted one more, so that it is never 0.</param>
internal sealed record PairedBootstrap(double Difference, double Low, double High, double P)
{
    /// <summary>Compares two runs on the same rows.</summary>
    /// <param name="first">The first's predictions.</param>
    /// <param name="second">The second's, of the same rows in the same order.</param>
    /// <param name="metric">From predictions to the number; one that is not a number in a draw leaves that draw out.</param>
    /// <param name="draws">How often rows are drawn.</param>
    /// <param name="seed">Of the draws.</param>
    internal static PairedBootstrap Of(EvalPrediction first, EvalPrediction second, Func<EvalPrediction, double> metric, int draws, long seed)
    {
        var differences = new List<double>(draws);
        var rows = new int[first.Rows];
        for (var draw = 0; draw < draws; draw++)
        {
            Redraw.Rows(seed, draw, rows);
            var difference = metric(Redraw.Select(second, rows)) - metric(Redraw.Select(first, rows));
            if (double.IsFinite(difference)) differences.Add(difference);
        }
        var whole = metric(second) - metric(first);
        if (differences.Count == 0) return new PairedBootstrap(whole, double.NaN, double.NaN, double.NaN);
        var middle = Redraw.Middle(differences);
        double below = differences.Count(difference => difference <= 0), above = differences.Count(difference => difference >= 0);
        return new PairedBootstrap(whole, middle.Low, middle.High,
            Math.Min(1, 2 * (Math.Min(below, above) + 1) / (differences.Count + 1)));
    }
}
