namespace Attune.Models;

/// <summary>
/// The focal loss (Lin, Goyal, Girshick, He, Dollár: "Focal Loss for Dense Object Detection", ICCV 2017, equations 4 and 5): the logarithm of a
/// probability p counts (1 - p)^gamma times, so that what is learned already counts little. With gamma 0 it is the cross-entropy.
/// </summary>
internal static class FocalLoss
{
    /// <summary>
    /// The sum over classes of q[c] w[c] (1 - p[c])^gamma (-log p[c]), where q is 1 for the target; with label smoothing s, q is 1 - s there and s / classes
    /// is added for each class.
    /// </summary>
    /// <param name="scores">The row's logits.</param>
    /// <param name="target">Its class.</param>
    /// <param name="options">gamma, s and w.</param>
    /// <param name="total">The gradient is divided by it.</param>
    /// <param name="slope">Receives the gradient.</param>
    internal static double OneClass(ReadOnlySpan<float> scores, int target, LossOptions options, double total, Span<float> slope)
    {
        var (gamma, smoothing) = (options.FocalGamma, options.LabelSmoothing);
        double largest = float.NegativeInfinity, sum = 0, loss = 0, slopes = 0;
        foreach (var score in scores) largest = Math.Max(largest, score);
        foreach (var score in scores) sum += Math.Exp(score - largest);
        var logSum = largest + Math.Log(sum);
        Span<double> along = scores.Length <= 256 ? stackalloc double[scores.Length] : new double[scores.Length];
        for (var c = 0; c < scores.Length; c++)
        {
            var share = ((c == target ? 1 - smoothing : 0) + smoothing / scores.Length) * (options.ClassWeights?[c] ?? 1);
            var log = scores[c] - logSum;
            double p = Math.Exp(log), rest = Math.Max(0, 1 - p);               // rounding may have made p more than 1
            loss -= share * Math.Pow(rest, gamma) * log;
            slopes += along[c] = share * (Factor(gamma, rest) * p * log - Math.Pow(rest, gamma));
        }
        for (var c = 0; c < scores.Length; c++) slope[c] = (float)((along[c] - Math.Exp(scores[c] - logSum) * slopes) / total);
        return loss;
    }

    /// <summary>t w (1 - p)^gamma (-log p) + (1 - t) p^gamma (-log(1 - p)) with p = sigmoid(x); with gamma 0 that of torch's BCEWithLogitsLoss(pos_weight).</summary>
    /// <param name="x">The logit.</param>
    /// <param name="label">t.</param>
    /// <param name="weight">w.</param>
    /// <param name="gamma">The exponent.</param>
    /// <param name="slope">Receives the gradient.</param>
    internal static double YesOrNo(double x, double label, double weight, double gamma, out double slope)
    {
        double decay = Math.Exp(-Math.Abs(x)), less = Math.Log(1 + decay);
        double likely = 1 / (1 + decay), unlikely = decay / (1 + decay);
        var (p, rest) = x >= 0 ? (likely, unlikely) : (unlikely, likely);
        double ifYes = less + Math.Max(-x, 0), ifNo = less + Math.Max(x, 0);                       // -log p and -log(1 - p)
        double yes = label * weight * Math.Pow(rest, gamma), no = (1 - label) * Math.Pow(p, gamma);
        slope = -yes * (gamma * p * ifYes + rest) + no * (gamma * rest * ifNo + p);
        return yes * ifYes + no * ifNo;
    }

    /// <summary>The slope of rest^gamma; where nothing is left it stands before a logarithm that is 0.</summary>
    private static double Factor(double gamma, double rest) => rest > 0 ? gamma * Math.Pow(rest, gamma - 1) : 0;
}
