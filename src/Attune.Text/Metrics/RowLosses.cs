namespace Attune.Metrics;

/// <summary>The loss of single rows: what a model finds hardest, or what is wrong in the data.</summary>
public static class RowLosses
{
    // Cross-entropy of a probability that a float cannot hold is as that of the smallest that it can.
    private const double Deepest = 104;

    /// <summary>The loss of each row: cross-entropy, of several labels the mean of theirs, of numbers the mean squared error.</summary>
    /// <param name="rows">What was predicted.</param>
    /// <param name="temperature">By which logits are divided; without effect on numbers. Default 1.</param>
    /// <returns>Not a number for a row without a class.</returns>
    public static double[] Of(EvalPrediction rows, double temperature = 1)
    {
        ArgumentNullException.ThrowIfNull(rows);
        var (losses, columns) = (new double[rows.Rows], rows.Columns);
        for (var row = 0; row < losses.Length; row++)
        {
            var logits = rows.Logits.AsSpan(row * columns, columns);
            losses[row] = rows.Task switch
            {
                TaskKind.SingleLabel => rows.Labels[row] < 0 ? double.NaN : CrossEntropy(logits, (int)rows.Labels[row], temperature),
                TaskKind.MultiLabel => Decisions(logits, rows.Labels.AsSpan(row * columns, columns), temperature),
                _ => Squares(logits, rows.Labels.AsSpan(row * columns, columns)),
            };
        }
        return losses;
    }

    /// <summary>The rows with the highest losses, the highest first; of equal losses the earlier row.</summary>
    /// <param name="rows">What was predicted.</param>
    /// <param name="most">How many rows.</param>
    /// <param name="temperature">As in <see cref="Of"/>.</param>
    public static IReadOnlyList<(int Row, double Loss)> Highest(EvalPrediction rows, int most, double temperature = 1) =>
        [.. Of(rows, temperature).Index().Where(row => !double.IsNaN(row.Item)).OrderByDescending(row => row.Item).Take(most)];

    private static double CrossEntropy(ReadOnlySpan<float> logits, int label, double temperature)
    {
        double highest = double.NegativeInfinity, sum = 0;
        foreach (var logit in logits) highest = Math.Max(highest, logit / temperature);
        foreach (var logit in logits) sum += Math.Exp(logit / temperature - highest);
        return Math.Log(sum) + Math.Min(highest - logits[label] / temperature, Deepest);
    }

    private static double Decisions(ReadOnlySpan<float> logits, ReadOnlySpan<float> labels, double temperature)
    {
        var sum = 0.0;
        for (var i = 0; i < logits.Length; i++)
        {
            var against = Math.Clamp(logits[i] / temperature, -Deepest, Deepest) * (labels[i] > 0.5f ? -1 : 1);
            sum += Math.Max(against, 0) + Math.Log(1 + Math.Exp(-Math.Abs(against)));
        }
        return sum / logits.Length;
    }

    private static double Squares(ReadOnlySpan<float> numbers, ReadOnlySpan<float> labels)
    {
        var sum = 0.0;
        for (var i = 0; i < numbers.Length; i++) sum += ((double)numbers[i] - labels[i]) * ((double)numbers[i] - labels[i]);
        return sum / numbers.Length;
    }
}
