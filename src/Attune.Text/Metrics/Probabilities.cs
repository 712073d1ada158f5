namespace Attune.Metrics;

/// <summary>From logits to probabilities, and how good the probabilities are.</summary>
public static class Probabilities
{
    /// <summary>Smallest step above 1 in float64: scikit-learn moves probabilities of 0 and 1 by it before it takes logarithms.</summary>
    public const double Epsilon = 2.220446049250313e-16;

    /// <summary>Softmax of each row of logits.</summary>
    /// <param name="logits">Rows × <paramref name="columns"/>, row-major.</param>
    /// <param name="columns">Number of classes.</param>
    public static double[] Softmax(ReadOnlySpan<float> logits, int columns) => Softmax(logits, columns, 1);

    /// <summary>Softmax of each row of logits divided by a temperature.</summary>
    /// <param name="logits">Rows × <paramref name="columns"/>, row-major.</param>
    /// <param name="columns">Number of classes.</param>
    /// <param name="temperature">Above 0; see <see cref="TemperatureScaling"/>.</param>
    public static double[] Softmax(ReadOnlySpan<float> logits, int columns, double temperature)
    {
        var result = new double[logits.Length];
        for (var start = 0; start < logits.Length; start += columns)
        {
            double highest = double.NegativeInfinity, sum = 0;
            foreach (var logit in logits.Slice(start, columns)) highest = Math.Max(highest, logit);
            for (var i = start; i < start + columns; i++) sum += result[i] = Math.Exp((logits[i] - highest) / temperature);
            for (var i = start; i < start + columns; i++) result[i] /= sum;
        }
        return result;
    }

    /// <summary>Logistic function of each logit.</summary>
    public static double[] Sigmoid(ReadOnlySpan<float> logits) => Sigmoid(logits, 1);

    /// <summary>Logistic function of each logit divided by a temperature.</summary>
    /// <param name="logits">Any number.</param>
    /// <param name="temperature">Above 0; see <see cref="TemperatureScaling"/>.</param>
    public static double[] Sigmoid(ReadOnlySpan<float> logits, double temperature)
    {
        var result = new double[logits.Length];
        for (var i = 0; i < result.Length; i++) result[i] = 1 / (1 + Math.Exp(-(double)logits[i] / temperature));
        return result;
    }

    /// <summary>What a model says, from its logits: probabilities of one class or of several labels, or numbers as they are.</summary>
    /// <param name="logits">Rows × <paramref name="columns"/>, row-major.</param>
    /// <param name="columns">Number of classes, labels or numbers per row.</param>
    /// <param name="task">What the logits are of.</param>
    /// <param name="temperature">By which they are divided; without effect on numbers. Default 1.</param>
    public static double[] Of(ReadOnlySpan<float> logits, int columns, TaskKind task, double temperature = 1) => task switch
    {
        TaskKind.SingleLabel => Softmax(logits, columns, temperature),
        TaskKind.MultiLabel => Sigmoid(logits, temperature),
        _ => Array.ConvertAll(logits.ToArray(), logit => (double)logit),
    };

    /// <summary>
    /// How sure a model is of what it says of one text: the highest probability; of several labels that of the least sure decision, a label's probability
    /// where it is predicted and what is missing to 1 where it is not; of numbers 1, for they say nothing of it.
    /// </summary>
    /// <param name="scores">One row of what <see cref="Of"/> gives.</param>
    /// <param name="task">What they are of.</param>
    /// <param name="thresholds">From which probability on a label of several counts as predicted; null for above 0.5.</param>
    public static double Confidence(ReadOnlySpan<double> scores, TaskKind task, IReadOnlyList<double>? thresholds = null)
    {
        if (task == TaskKind.Regression) return 1;
        var confidence = task == TaskKind.SingleLabel ? 0 : 1.0;
        for (var i = 0; i < scores.Length; i++)
            confidence = task == TaskKind.SingleLabel ? Math.Max(confidence, scores[i])
                : Math.Min(confidence, LabelThresholds.Counts(scores[i], thresholds?[i]) ? scores[i] : 1 - scores[i]);
        return confidence;
    }

    /// <summary>The column of the highest value of each row, the first of equals.</summary>
    public static int[] ArgMax<T>(ReadOnlySpan<T> values, int columns) where T : IComparable<T>
    {
        var result = new int[values.Length / columns];
        for (var row = 0; row < result.Length; row++)
            for (var column = 1; column < columns; column++)
                if (values[row * columns + column].CompareTo(values[row * columns + result[row]]) > 0) result[row] = column;
        return result;
    }

    /// <summary>Mean negative logarithm of the true class's probability. Rows are scaled to sum to 1, as scikit-learn does.</summary>
    /// <param name="labels">True class of each row.</param>
    /// <param name="probabilities">Rows × classes, row-major.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="epsilon">Probabilities are kept this far from 0 and 1.</param>
    public static double LogLoss(ReadOnlySpan<int> labels, ReadOnlySpan<double> probabilities, int classes, double epsilon = Epsilon)
    {
        var total = 0.0;
        for (var row = 0; row < labels.Length; row++)
        {
            var sum = 0.0;
            foreach (var probability in probabilities.Slice(row * classes, classes)) sum += Math.Clamp(probability, epsilon, 1 - epsilon);
            total -= Math.Log(Math.Clamp(probabilities[row * classes + labels[row]], epsilon, 1 - epsilon) / sum);
        }
        return total / labels.Length;
    }

    /// <summary>Mean negative logarithm of the probability given to what happened, for single yes-or-no decisions.</summary>
    /// <param name="positive">What happened.</param>
    /// <param name="probabilities">Probability that it would.</param>
    /// <param name="epsilon">Probabilities are kept this far from 0 and 1.</param>
    public static double LogLoss(ReadOnlySpan<bool> positive, ReadOnlySpan<double> probabilities, double epsilon = Epsilon)
    {
        var total = 0.0;
        for (var i = 0; i < positive.Length; i++)
        {
            var probability = Math.Clamp(probabilities[i], epsilon, 1 - epsilon);
            total -= Math.Log(positive[i] ? probability : 1 - probability);
        }
        return total / positive.Length;
    }

    /// <summary>Brier's score of several classes: mean over rows of the summed squared differences to the one-hot truth; 0 to 2.</summary>
    public static double Brier(ReadOnlySpan<int> labels, ReadOnlySpan<double> probabilities, int classes)
    {
        var total = 0.0;
        for (var i = 0; i < probabilities.Length; i++)
        {
            var difference = probabilities[i] - (labels[i / classes] == i % classes ? 1 : 0);
            total += difference * difference;
        }
        return total / labels.Length;
    }

    /// <summary>Brier's score of yes-or-no decisions: mean squared difference to 0 or 1; 0 to 1.</summary>
    public static double Brier(ReadOnlySpan<bool> positive, ReadOnlySpan<double> probabilities)
    {
        var total = 0.0;
        for (var i = 0; i < positive.Length; i++)
        {
            var difference = probabilities[i] - (positive[i] ? 1 : 0);
            total += difference * difference;
        }
        return total / positive.Length;
    }

    /// <summary>Share of rows whose class is among the <paramref name="count"/> highest scores.</summary>
    /// <remarks>Of equal scores the class with the higher number ranks first, as in scikit-learn.</remarks>
    public static double TopAccuracy(ReadOnlySpan<int> labels, ReadOnlySpan<double> scores, int classes, int count)
    {
        var hits = 0;
        for (var row = 0; row < labels.Length; row++)
        {
            var own = scores[row * classes + labels[row]];
            var better = 0;
            for (var other = 0; other < classes; other++)
            {
                var score = scores[row * classes + other];
                if (score > own || (score == own && other > labels[row])) better++;
            }
            if (better < count) hits++;
        }
        return (double)hits / labels.Length;
    }
}
