namespace Attune.Metrics;

/// <summary>What an evaluation gives to the metrics: the logits of all rows, in the order of the data, and their labels.</summary>
/// <param name="Logits">Rows × columns, row-major.</param>
/// <param name="Rows">Number of rows.</param>
/// <param name="Columns">Number of classes, labels or numbers per row.</param>
/// <param name="Labels">
/// One class number per row (−100 = ignored) for a single label; else rows × columns, row-major: 0 or 1 for several labels, numbers for regression.
/// </param>
/// <param name="Task">What the labels are.</param>
public sealed record EvalPrediction(float[] Logits, int Rows, int Columns, float[] Labels, TaskKind Task = TaskKind.SingleLabel)
{
    private const int Ignored = -100;

    /// <summary>The token ids of each row, without padding, of a text in windows those of the first; null unless <c>include_for_metrics</c> has inputs.</summary>
    public IReadOnlyList<int[]>? Inputs { get; init; }

    /// <summary>Of each row the mean loss of its batch, as in transformers, of a text in windows the mean of theirs; null unless <c>include_for_metrics</c> has loss.</summary>
    public float[]? Losses { get; init; }

    /// <summary>The class of the highest logit of each row, the first of equals.</summary>
    public int[] Predictions => Probabilities.ArgMax<float>(Logits, Columns);

    /// <summary>The labels as class numbers, for a single label per row.</summary>
    public int[] ClassLabels => Array.ConvertAll(Labels, label => (int)label);

    /// <summary>The probability of each label, without temperature, from which on it counts as predicted, for several labels per row.</summary>
    /// <value>Default null: above 0.5.</value>
    public IReadOnlyList<double>? Thresholds { get; init; }

    /// <summary>Rows × columns: whether the label's probability lies above 0.5, or reaches its threshold, for several labels per row.</summary>
    public bool[] PredictedLabels
    {
        get
        {
            var probabilities = Probabilities.Sigmoid(Logits);
            var predicted = new bool[probabilities.Length];
            for (var i = 0; i < predicted.Length; i++) predicted[i] = LabelThresholds.Counts(probabilities[i], Thresholds?[i % Columns]);
            return predicted;
        }
    }

    /// <summary>Rows × columns: whether the row has the label, for several labels per row.</summary>
    public bool[] HasLabel => Array.ConvertAll(Labels, label => label > 0.5f);

    /// <summary>Of each row whether what is predicted is right: its class, or all of its labels and no other.</summary>
    /// <exception cref="InvalidOperationException">The rows are of numbers, which are more or less right.</exception>
    public bool[] IsRight
    {
        get
        {
            if (Task == TaskKind.Regression) throw new InvalidOperationException("numbers are neither right nor wrong");
            var right = new bool[Rows];
            if (Task == TaskKind.SingleLabel)
            {
                var predictions = Predictions;
                for (var row = 0; row < Rows; row++) right[row] = Labels[row].Equals(predictions[row]);
                return right;
            }
            var (has, predicted) = (HasLabel, PredictedLabels);
            for (var row = 0; row < Rows; row++) right[row] = has.AsSpan(row * Columns, Columns).SequenceEqual(predicted.AsSpan(row * Columns, Columns));
            return right;
        }
    }

    /// <summary>The same without the rows whose class is −100.</summary>
    public EvalPrediction Labelled()
    {
        if (Task != TaskKind.SingleLabel || Array.IndexOf(Labels, Ignored) < 0) return this;
        var kept = Enumerable.Range(0, Rows).Where(row => Labels[row] != Ignored).ToArray();
        var logits = new float[kept.Length * Columns];
        foreach (var (to, row) in kept.Index()) Logits.AsSpan(row * Columns, Columns).CopyTo(logits.AsSpan(to * Columns));
        return this with
        {
            Logits = logits,
            Rows = kept.Length,
            Labels = Array.ConvertAll(kept, row => Labels[row]),
            Inputs = Inputs is { } inputs ? Array.ConvertAll(kept, row => inputs[row]) : null,
            Losses = Losses is { } losses ? Array.ConvertAll(kept, row => losses[row]) : null,
        };
    }
}
