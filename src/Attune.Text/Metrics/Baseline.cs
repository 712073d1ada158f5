namespace Attune.Metrics;

/// <summary>
/// What can be predicted without reading a text: always the same. A model that is not clearly better than this has learned nothing of use.
/// </summary>
/// <remarks>Taken from the very rows that are measured, so no constant answer does better by accuracy, or by the squared error of numbers.</remarks>
public static class Baseline
{
    private const double Rare = 1e-6;

    /// <summary>The same rows with the constant answer: each class as likely as it is often; of several labels the most frequent one; the mean of numbers.</summary>
    /// <param name="given">Rows with labels.</param>
    public static EvalPrediction Of(EvalPrediction given)
    {
        ArgumentNullException.ThrowIfNull(given);
        var rows = given.Labelled();
        var means = Means(rows);
        var answer = Array.ConvertAll(means, mean => rows.Task switch
        {
            TaskKind.SingleLabel => (float)Math.Log(Math.Max(mean, Rare)),
            TaskKind.MultiLabel => (float)Math.Log(Math.Clamp(mean, Rare, 1 - Rare) / (1 - Math.Clamp(mean, Rare, 1 - Rare))),
            _ => (float)mean,
        });
        // Below a half no label would be predicted at all, and F1 would be 0 for want of an answer.
        if (rows.Task == TaskKind.MultiLabel) answer[Array.IndexOf(means, means.Max())] = Math.Max(answer.Max(), (float)Rare);
        var logits = new float[rows.Rows * rows.Columns];
        for (var row = 0; row < rows.Rows; row++) answer.CopyTo(logits, row * rows.Columns);
        return rows with { Logits = logits, Thresholds = null };
    }

    /// <summary>The answer in words.</summary>
    /// <param name="given">Rows with labels.</param>
    /// <param name="names">The names of the classes.</param>
    public static string Describe(EvalPrediction given, IReadOnlyList<string> names)
    {
        ArgumentNullException.ThrowIfNull(given);
        ArgumentNullException.ThrowIfNull(names);
        var means = Means(given.Labelled());
        return given.Task == TaskKind.Regression
            ? FormattableString.Invariant($"always the mean, {means[0]:0.0###}")
            : $"always \"{names[Array.IndexOf(means, means.Max())]}\"";
    }

    /// <summary>Of each class or label its share of the rows, of numbers their mean.</summary>
    private static double[] Means(EvalPrediction rows)
    {
        var means = new double[rows.Columns];
        for (var row = 0; row < rows.Rows; row++)
        {
            if (rows.Task == TaskKind.SingleLabel) means[(int)rows.Labels[row]] += 1.0 / rows.Rows;
            else
                for (var column = 0; column < rows.Columns; column++) means[column] += rows.Labels[row * rows.Columns + column] / (double)rows.Rows;
        }
        return means;
    }
}
