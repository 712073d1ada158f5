namespace Attune.Models;

/// <summary>
/// How far two passes over the same rows with different dropout are apart (Liang et al.: "R-Drop: Regularized Dropout for Neural Networks", NeurIPS 2021):
/// the mean of both Kullback-Leibler divergences, as a mean over rows.
/// </summary>
internal static class ConsistencyLoss
{
    /// <summary>
    /// One class a row: half the sum over classes of (p - q) (a - b), where p and q are the softmax of the logits a and b, which is the mean of KL(p, q) and
    /// KL(q, p). Several classes: the same of each class's sigmoid, as a mean over classes. Numbers: the squared difference, likewise.
    /// </summary>
    /// <param name="first">a, (rows, columns).</param>
    /// <param name="second">b, (rows, columns).</param>
    /// <param name="columns">Number of classes or of numbers.</param>
    /// <param name="problem">Which of the three.</param>
    /// <param name="rowWeights">With which each row counts, as in the loss.</param>
    /// <param name="total">Their sum over the whole batch.</param>
    /// <param name="factor">By which the gradients are multiplied.</param>
    /// <param name="firstGradient">Is added to, (rows, columns).</param>
    /// <param name="secondGradient">Is added to, (rows, columns).</param>
    /// <returns>The divergence, without the factor.</returns>
    internal static double Add(
        ReadOnlySpan<float> first, ReadOnlySpan<float> second, int columns, ProblemType problem, ReadOnlySpan<double> rowWeights, double total, double factor,
        Span<float> firstGradient, Span<float> secondGradient)
    {
        var sum = 0.0;
        for (var row = 0; row < rowWeights.Length; row++)
        {
            if (rowWeights[row] == 0) continue;
            var (at, weight) = (row * columns, rowWeights[row] / total);
            ReadOnlySpan<float> a = first.Slice(at, columns), b = second.Slice(at, columns);
            Span<float> slopeA = firstGradient.Slice(at, columns), slopeB = secondGradient.Slice(at, columns);
            sum += weight * (problem switch
            {
                ProblemType.SingleLabelClassification => OfSoftmax(a, b, factor * weight, slopeA, slopeB),
                ProblemType.MultiLabelClassification => OfSigmoid(a, b, factor * weight / columns, slopeA, slopeB) / columns,
                _ => OfNumbers(a, b, factor * weight / columns, slopeA, slopeB) / columns,
            });
        }
        return sum;
    }

    private static double OfSoftmax(ReadOnlySpan<float> a, ReadOnlySpan<float> b, double factor, Span<float> slopeA, Span<float> slopeB)
    {
        double logA = LogSum(a), logB = LogSum(b), meanA = 0, meanB = 0;
        for (var c = 0; c < a.Length; c++)
        {
            var apart = (double)a[c] - b[c];
            meanA += Math.Exp(a[c] - logA) * apart;
            meanB += Math.Exp(b[c] - logB) * apart;
        }
        for (var c = 0; c < a.Length; c++)
        {
            double p = Math.Exp(a[c] - logA), q = Math.Exp(b[c] - logB), apart = (double)a[c] - b[c];
            slopeA[c] += (float)(factor / 2 * (p * (apart - meanA) + p - q));
            slopeB[c] -= (float)(factor / 2 * (q * (apart - meanB) + p - q));
        }
        return (meanA - meanB) / 2;
    }

    private static double OfSigmoid(ReadOnlySpan<float> a, ReadOnlySpan<float> b, double factor, Span<float> slopeA, Span<float> slopeB)
    {
        var sum = 0.0;
        for (var c = 0; c < a.Length; c++)
        {
            double p = 1 / (1 + Math.Exp(-a[c])), q = 1 / (1 + Math.Exp(-b[c])), apart = (double)a[c] - b[c];
            sum += (p - q) * apart / 2;
            slopeA[c] += (float)(factor / 2 * (p * (1 - p) * apart + p - q));
            slopeB[c] -= (float)(factor / 2 * (q * (1 - q) * apart + p - q));
        }
        return sum;
    }

    private static double OfNumbers(ReadOnlySpan<float> a, ReadOnlySpan<float> b, double factor, Span<float> slopeA, Span<float> slopeB)
    {
        var sum = 0.0;
        for (var c = 0; c < a.Length; c++)
        {
            var apart = (double)a[c] - b[c];
            sum += apart * apart;
            slopeA[c] += (float)(factor * 2 * apart);
            slopeB[c] -= (float)(factor * 2 * apart);
        }
        return sum;
    }

    private static double LogSum(ReadOnlySpan<float> scores)
    {
        double largest = float.NegativeInfinity, sum = 0;
        foreach (var score in scores) largest = Math.Max(largest, score);
        foreach (var score in scores) sum += Math.Exp(score - largest);
        return largest + Math.Log(sum);
    }
}
