namespace Attune.Metrics;

/// <summary>McNemar's test of two classifiers on the same rows: whether one is right more often than the other by more than chance.</summary>
/// <param name="OnlyFirst">Rows that only the first has right.</param>
/// <param name="OnlySecond">Rows that only the second has right.</param>
internal sealed record McNemar(int OnlyFirst, int OnlySecond)
{
    /// <summary>
    /// The probability of a difference at least as large where both are equally good: the exact, two-sided binomial test of the rows on which
    /// only one is right (McNemar 1947; Dietterich 1998).
    /// </summary>
    internal double P
    {
        get
        {
            var (n, least) = (OnlyFirst + OnlySecond, Math.Min(OnlyFirst, OnlySecond));
            // Logarithms: 2^-n is below the smallest double from a thousand rows on.
            double logTerm = -n * Math.Log(2), sum = Math.Exp(logTerm);
            for (var i = 1; i <= least; i++)
            {
                logTerm += Math.Log((double)(n - i + 1) / i);
                sum += Math.Exp(logTerm);
            }
            return Math.Min(1, 2 * sum);
        }
    }

    /// <summary>Of predictions of one class a row; rows without a class are passed over.</summary>
    internal static McNemar Of(EvalPrediction first, EvalPrediction second)
    {
        var (a, b, labels) = (first.Predictions, second.Predictions, first.ClassLabels);
        var (onlyFirst, onlySecond) = (0, 0);
        for (var row = 0; row < labels.Length; row++)
        {
            if (labels[row] < 0 || (a[row] == labels[row]) == (b[row] == labels[row])) continue;
            if (a[row] == labels[row]) onlyFirst++;
            else onlySecond++;
        }
        return new McNemar(onlyFirst, onlySecond);
    }
}
