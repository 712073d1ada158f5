using Attune.Batching;

namespace Attune.Models;

/// <summary>The losses of sequence classification, as means over rows, with their gradients.</summary>
internal static class ClassificationLoss
{
    /// <summary>Computes the loss and its gradient.</summary>
    /// <param name="logits">(rows, columns).</param>
    /// <param name="columns">Number of classes or of numbers.</param>
    /// <param name="labels">The kind must fit <paramref name="problem"/>.</param>
    /// <param name="problem">Which loss.</param>
    /// <param name="smoothing">Label smoothing, 0 for none; single-label only.</param>
    /// <param name="gradient">Receives (rows, columns).</param>
    /// <exception cref="AttuneException">A label is outside the classes, or the labels do not fit the problem.</exception>
    internal static double Compute(
        ReadOnlySpan<float> logits, int columns, Labels labels, ProblemType problem, double smoothing, Span<float> gradient) => (problem, labels) switch
        {
            (ProblemType.SingleLabelClassification, ClassLabels classes) => CrossEntropy(logits, columns, classes.Values, smoothing, gradient),
            (ProblemType.MultiLabelClassification, MultiLabels multi) => BinaryCrossEntropy(logits, Fitting(multi.Values, logits), gradient),
            (ProblemType.Regression, RegressionTargets targets) => SquaredError(logits, Fitting(targets.Values, logits), gradient),
            (ProblemType.Regression, ClassLabels numbers) when columns == 1 =>
                SquaredError(logits, Array.ConvertAll(numbers.Values, number => (float)number), gradient),
            _ => throw new AttuneException(
                $"The labels are {Describe(labels)}, but the model's problem_type is {BertConfigReader.Name(problem)}: give labels of that kind or another problem type."),
        };

    /// <summary>How many rows the mean of the losses is over.</summary>
    internal static int Counting(Labels labels, ProblemType problem) => labels is ClassLabels classes && problem == ProblemType.SingleLabelClassification
        ? classes.Values.Count(label => label != ClassLabels.Ignored)
        : labels.Rows;

    private static string Describe(Labels labels) => labels switch
    {
        ClassLabels => "one class a row",
        MultiLabels => "several classes a row",
        _ => "numbers",
    };

    private static float[] Fitting(float[] values, ReadOnlySpan<float> logits) => values.Length == logits.Length
        ? values
        : throw new AttuneException($"The labels have {values.Length} values and the model's outputs {logits.Length}: the number of classes differs.");

    /// <summary>(1 - s) nll + s mean over classes of -log p, both over the rows that count (transformers' LabelSmoother).</summary>
    private static double CrossEntropy(ReadOnlySpan<float> logits, int columns, long[] labels, double smoothing, Span<float> gradient)
    {
        var counting = 0;
        foreach (var label in labels)
        {
            if (label == ClassLabels.Ignored) continue;
            if (label < 0 || label >= columns)
                throw new AttuneException($"Label {label} is outside the {columns} classes of the model: correct the data or start from a model with more labels.");
            counting++;
        }
        var loss = 0.0;
        for (var row = 0; row < labels.Length; row++)
        {
            ReadOnlySpan<float> scores = logits.Slice(row * columns, columns);
            var slope = gradient.Slice(row * columns, columns);
            slope.Clear();
            if (labels[row] == ClassLabels.Ignored) continue;
            double largest = float.NegativeInfinity, sum = 0, total = 0;
            foreach (var score in scores) largest = Math.Max(largest, score);
            foreach (var score in scores)
            {
                sum += Math.Exp(score - largest);
                total += score;
            }
            var logSum = largest + Math.Log(sum);
            var target = (int)labels[row];
            loss += (1 - smoothing) * (logSum - scores[target]) + smoothing * (logSum - total / columns);
            for (var c = 0; c < columns; c++)
                slope[c] = (float)((Math.Exp(scores[c] - logSum) - smoothing / columns - (c == target ? 1 - smoothing : 0)) / counting);
        }
        return loss / counting;
    }

    private static double BinaryCrossEntropy(ReadOnlySpan<float> logits, float[] labels, Span<float> gradient)
    {
        var loss = 0.0;
        for (var i = 0; i < labels.Length; i++)
        {
            double x = logits[i], decay = Math.Exp(-Math.Abs(x));
            loss += Math.Max(x, 0) - x * labels[i] + Math.Log(1 + decay);
            var probability = x >= 0 ? 1 / (1 + decay) : decay / (1 + decay);
            gradient[i] = (float)((probability - labels[i]) / labels.Length);
        }
        return loss / labels.Length;
    }

    private static double SquaredError(ReadOnlySpan<float> outputs, float[] targets, Span<float> gradient)
    {
        var loss = 0.0;
        for (var i = 0; i < targets.Length; i++)
        {
            var error = (double)outputs[i] - targets[i];
            loss += error * error;
            gradient[i] = (float)(2 * error / targets.Length);
        }
        return loss / targets.Length;
    }
}
