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
    /// <param name="options">Which variant of it.</param>
    /// <param name="total">
    /// By what the sum of the rows' losses is divided: <see cref="Weight"/> of all rows that the mean is over. So the losses and gradients of the parts
    /// of a batch add up to those of the batch.
    /// </param>
    /// <param name="gradient">Receives (rows, columns).</param>
    /// <exception cref="AttuneException">A label is outside the classes, or the labels or weights do not fit the problem.</exception>
    internal static double Compute(
        ReadOnlySpan<float> logits, int columns, Labels labels, ProblemType problem, LossOptions options, double total, Span<float> gradient) =>
        (problem, labels) switch
        {
            (ProblemType.SingleLabelClassification, ClassLabels classes) => SingleLabel(logits, columns, classes.Values, options, total, gradient),
            (ProblemType.MultiLabelClassification, MultiLabels multi) => MultiLabel(logits, columns, Fitting(multi.Values, logits), options, total, gradient),
            (ProblemType.Regression, RegressionTargets targets) => Error(logits, Fitting(targets.Values, logits), options, total * columns, gradient),
            (ProblemType.Regression, ClassLabels numbers) when columns == 1 =>
                Error(logits, Array.ConvertAll(numbers.Values, number => (float)number), options, total, gradient),
            _ => throw Unfit(labels, problem),
        };

    /// <summary>The weights with which rows count in the mean: 0 for one to be left out, its class's weight where classes have weights, else 1.</summary>
    internal static double[] RowWeights(Labels labels, ProblemType problem, LossOptions options)
    {
        var weights = new double[labels.Rows];
        if (labels is ClassLabels classes && problem == ProblemType.SingleLabelClassification)
            for (var row = 0; row < weights.Length; row++) weights[row] = RowWeight(classes.Values[row], options);
        else Array.Fill(weights, 1);
        return weights;
    }

    /// <summary>Sum of the rows' weights.</summary>
    internal static double Weight(Labels labels, ProblemType problem, LossOptions options) => RowWeights(labels, problem, options).Sum();

    /// <summary>Whether any row is not to be left out.</summary>
    internal static bool Counts(Labels labels, ProblemType problem) =>
        problem != ProblemType.SingleLabelClassification || labels is not ClassLabels classes || classes.Values.Any(label => label != ClassLabels.Ignored);

    private static double RowWeight(long label, LossOptions options)
    {
        if (label == ClassLabels.Ignored) return 0;
        if (options.ClassWeights is not { } weights) return 1;
        RequireClass(label, weights.Count);
        return weights[(int)label];
    }

    /// <summary>Refuses what <see cref="Compute"/> refuses.</summary>
    /// <exception cref="AttuneException">A label is outside the classes, or the labels or weights do not fit the problem.</exception>
    internal static void RequireFit(Labels labels, long logits, int columns, ProblemType problem, LossOptions options)
    {
        switch (problem, labels)
        {
            case (ProblemType.SingleLabelClassification, ClassLabels classes):
                foreach (var label in classes.Values)
                    if (label != ClassLabels.Ignored) RequireClass(label, columns);
                RequireWeights(options.ClassWeights, columns);
                break;
            case (ProblemType.MultiLabelClassification, MultiLabels multi):
                RequireCount(multi.Values, logits);
                RequireWeights(options.PositiveWeights, columns);
                break;
            case (ProblemType.Regression, RegressionTargets targets): RequireCount(targets.Values, logits); break;
            case (ProblemType.Regression, ClassLabels) when columns == 1: break;
            default: throw Unfit(labels, problem);
        }
    }

    private static AttuneException Unfit(Labels labels, ProblemType problem) => new(
        $"The labels are {Describe(labels)}, but the model's problem_type is {ConfigReader.Name(problem)}: give labels of that kind or another problem type.");

    private static string Describe(Labels labels) => labels switch
    {
        ClassLabels => "one class a row",
        MultiLabels => "several classes a row",
        _ => "numbers",
    };

    private static float[] Fitting(float[] values, ReadOnlySpan<float> logits)
    {
        RequireCount(values, logits.Length);
        return values;
    }

    private static void RequireCount(float[] values, long logits)
    {
        if (values.Length != logits) throw new AttuneException($"The labels have {values.Length} values and the model's outputs {logits}: the number of classes differs.");
    }

    private static void RequireClass(long label, int columns)
    {
        if (label < 0 || label >= columns)
            throw new AttuneException($"Label {label} is outside the {columns} classes of the model: correct the data or start from a model with more labels.");
    }

    private static void RequireWeights(IReadOnlyList<double>? weights, int columns)
    {
        if (weights is not null && weights.Count != columns)
            throw new AttuneException($"There are weights for {weights.Count} classes, but the model has {columns}: give one for each.");
    }

    private static double SingleLabel(ReadOnlySpan<float> logits, int columns, long[] labels, LossOptions options, double total, Span<float> gradient)
    {
        foreach (var label in labels)
            if (label != ClassLabels.Ignored) RequireClass(label, columns);
        RequireWeights(options.ClassWeights, columns);
        var loss = 0.0;
        for (var row = 0; row < labels.Length; row++)
        {
            var scores = logits.Slice(row * columns, columns);
            var slope = gradient.Slice(row * columns, columns);
            slope.Clear();
            if (labels[row] == ClassLabels.Ignored) continue;
            loss += options.FocalGamma == 0 ? CrossEntropy(scores, (int)labels[row], options, total, slope)
                : FocalLoss.OneClass(scores, (int)labels[row], options, total, slope);
        }
        return loss / total;
    }

    /// <summary>
    /// (1 - s) w[y] nll + s mean over classes of w[c] (-log p[c]), as torch combines label smoothing s and weights w; without weights that is
    /// transformers' LabelSmoother.
    /// </summary>
    private static double CrossEntropy(ReadOnlySpan<float> scores, int target, LossOptions options, double total, Span<float> slope)
    {
        var (smoothing, weights) = (options.LabelSmoothing, options.ClassWeights);
        double largest = float.NegativeInfinity, sum = 0, scoreSum = 0, weightSum = 0;
        foreach (var score in scores) largest = Math.Max(largest, score);
        for (var c = 0; c < scores.Length; c++)
        {
            sum += Math.Exp(scores[c] - largest);
            scoreSum += weights is null ? scores[c] : weights[c] * scores[c];
            weightSum += weights?[c] ?? 1;
        }
        var logSum = largest + Math.Log(sum);
        double own = weights?[target] ?? 1, mean = weightSum / scores.Length;
        var all = weights is null ? 1 : (1 - smoothing) * own + smoothing * mean;
        for (var c = 0; c < scores.Length; c++)
        {
            var wanted = smoothing / scores.Length * (weights?[c] ?? 1);
            slope[c] = (float)((Math.Exp(scores[c] - logSum) * all - wanted - (c == target ? (1 - smoothing) * own : 0)) / total);
        }
        return (1 - smoothing) * (own * (logSum - scores[target])) + smoothing * (mean * logSum - scoreSum / scores.Length);
    }

    private static double MultiLabel(ReadOnlySpan<float> logits, int columns, float[] labels, LossOptions options, double total, Span<float> gradient)
    {
        RequireWeights(options.PositiveWeights, columns);
        var isPlain = options.FocalGamma == 0 && options.PositiveWeights is null;
        var (loss, elements) = (0.0, total * columns);
        for (var i = 0; i < labels.Length; i++)
        {
            if (isPlain)
            {
                double x = logits[i], decay = Math.Exp(-Math.Abs(x));
                loss += Math.Max(x, 0) - x * labels[i] + Math.Log(1 + decay);
                var probability = x >= 0 ? 1 / (1 + decay) : decay / (1 + decay);
                gradient[i] = (float)((probability - labels[i]) / elements);
                continue;
            }
            loss += FocalLoss.YesOrNo(logits[i], labels[i], options.PositiveWeights?[i % columns] ?? 1, options.FocalGamma, out var slope);
            gradient[i] = (float)(slope / elements);
        }
        return loss / elements;
    }

    private static double Error(ReadOnlySpan<float> outputs, float[] targets, LossOptions options, double numbers, Span<float> gradient)
    {
        var (loss, delta) = (0.0, options.HuberDelta);
        for (var i = 0; i < targets.Length; i++)
        {
            var error = (double)outputs[i] - targets[i];
            var size = Math.Abs(error);
            var (one, slope) = options.RegressionLoss switch
            {
                RegressionLoss.Mse => (error * error, 2 * error),
                RegressionLoss.Mae => (size, double.IsNaN(error) ? error : Math.Sign(error)),
                _ when size <= delta => (error * error / 2, error),
                _ => (delta * (size - delta / 2), double.IsNaN(error) ? error : delta * Math.Sign(error)),
            };
            loss += one;
            gradient[i] = (float)(slope / numbers);
        }
        return loss / numbers;
    }
}
