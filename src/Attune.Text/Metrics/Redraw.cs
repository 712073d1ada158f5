namespace Attune.Metrics;

/// <summary>Rows drawn anew with replacement, for the bootstrap (Efron and Tibshirani 1993). A draw is a pure function of the seed and its number.</summary>
internal static class Redraw
{
    /// <summary>Draws as many rows as there are places.</summary>
    internal static void Rows(long seed, int draw, int[] rows)
    {
        var state = unchecked((ulong)seed * 0x9E3779B97F4A7C15 + (ulong)draw);
        for (var i = 0; i < rows.Length; i++) rows[i] = (int)Math.BigMul(Mix(state + 0xD1B54A32D192ED03 * (ulong)(i + 1)), (ulong)rows.Length, out _);
    }

    /// <summary>Some of the rows of a prediction, any number of times each.</summary>
    internal static EvalPrediction Select(EvalPrediction all, int[] rows)
    {
        var labelColumns = all.Labels.Length / all.Rows;
        var (logits, labels) = (new float[rows.Length * all.Columns], new float[rows.Length * labelColumns]);
        foreach (var (to, row) in rows.Index())
        {
            all.Logits.AsSpan(row * all.Columns, all.Columns).CopyTo(logits.AsSpan(to * all.Columns));
            all.Labels.AsSpan(row * labelColumns, labelColumns).CopyTo(labels.AsSpan(to * labelColumns));
        }
        return all with { Logits = logits, Labels = labels, Rows = rows.Length };
    }

    /// <summary>What 95 of 100 values lie in (the percentile interval); values that are no numbers are left out.</summary>
    /// <param name="values">In any order; sorted by this.</param>
    internal static Interval Middle(List<double> values)
    {
        values.RemoveAll(value => !double.IsFinite(value));
        if (values.Count == 0) return new Interval(double.NaN, double.NaN);
        values.Sort();
        return new Interval(Quantile(values, 0.025), Quantile(values, 0.975));
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
