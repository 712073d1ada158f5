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
            var state = unchecked((ulong)seed * 0x9E3779B97F4A7C15 + (ulong)draw);
            for (var i = 0; i < rows.Length; i++) rows[i] = (int)Math.BigMul(Mix(state + 0xD1B54A32D192ED03 * (ulong)(i + 1)), (ulong)rows.Length, out _);
            var difference = metric(Select(second, rows)) - metric(Select(first, rows));
            if (double.IsFinite(difference)) differences.Add(difference);
        }
        var whole = metric(second) - metric(first);
        if (differences.Count == 0) return new PairedBootstrap(whole, double.NaN, double.NaN, double.NaN);
        differences.Sort();
        double below = differences.Count(difference => difference <= 0), above = differences.Count(difference => difference >= 0);
        return new PairedBootstrap(whole, Quantile(differences, 0.025), Quantile(differences, 0.975),
            Math.Min(1, 2 * (Math.Min(below, above) + 1) / (differences.Count + 1)));
    }

    private static EvalPrediction Select(EvalPrediction all, int[] rows)
    {
        var labelColumns = all.Labels.Length / all.Rows;
        var (logits, labels) = (new float[all.Logits.Length], new float[all.Labels.Length]);
        foreach (var (to, row) in rows.Index())
        {
            all.Logits.AsSpan(row * all.Columns, all.Columns).CopyTo(logits.AsSpan(to * all.Columns));
            all.Labels.AsSpan(row * labelColumns, labelColumns).CopyTo(labels.AsSpan(to * labelColumns));
        }
        return all with { Logits = logits, Labels = labels };
    }

    /// <summary>Between two neighbours in proportion, as numpy does unless told otherwise.</summary>
    private static double Quantile(List<double> sorted, double share)
    {
        var place = share * (sorted.Count - 1);
        var below = (int)place;
        return below + 1 < sorted.Count ? sorted[below] + (place - below) * (sorted[below + 1] - sorted[below]) : sorted[below];
    }

    // The finaliser of SplitMix64 (Steele, Lea, Flood 2014): a number for each draw and place, whatever was drawn before.
    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
