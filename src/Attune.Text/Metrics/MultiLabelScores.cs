namespace Attune.Metrics;

/// <summary>Scores of rows that may have several labels, or none; all as scikit-learn defines them for indicator matrices.</summary>
public sealed class MultiLabelScores
{
    private readonly long[] _both, _actual, _predicted;
    private readonly List<(ClassScores Scores, double Weight)> _rows = [];
    private readonly long _wrong;
    private readonly int _exact;

    /// <summary>Counts over two indicator matrices.</summary>
    /// <param name="labels">Rows × columns, row-major: whether the row has the label.</param>
    /// <param name="predictions">The same for what was predicted.</param>
    /// <param name="columns">Number of labels.</param>
    /// <exception cref="ArgumentException">The two differ in length.</exception>
    public MultiLabelScores(ReadOnlySpan<bool> labels, ReadOnlySpan<bool> predictions, int columns)
    {
        if (labels.Length != predictions.Length)
            throw new ArgumentException($"There are {labels.Length} labels and {predictions.Length} predictions.", nameof(predictions));
        (_both, _actual, _predicted) = (new long[columns], new long[columns], new long[columns]);
        for (var start = 0; start < labels.Length; start += columns)
        {
            int both = 0, actual = 0, predicted = 0;
            for (var column = 0; column < columns; column++)
            {
                var (label, prediction) = (labels[start + column], predictions[start + column]);
                if (label) (actual, _actual[column]) = (actual + 1, _actual[column] + 1);
                if (prediction) (predicted, _predicted[column]) = (predicted + 1, _predicted[column] + 1);
                if (label && prediction) (both, _both[column]) = (both + 1, _both[column] + 1);
            }
            var wrong = actual + predicted - 2 * both;
            _wrong += wrong;
            if (wrong == 0) _exact++;
            _rows.Add((ClassScores.FromCounts(both, predicted, actual), 1));
        }
    }

    /// <summary>Share of rows whose labels were all predicted, and no others: scikit-learn's accuracy for several labels.</summary>
    public double SubsetAccuracy => (double)_exact / _rows.Count;

    /// <summary>Share of single decisions that are wrong.</summary>
    public double HammingLoss => _wrong / ((double)_rows.Count * _actual.Length);

    /// <summary>The scores of one label.</summary>
    public ClassScores Scores(int column) => ClassScores.FromCounts(_both[column], _predicted[column], _actual[column]);

    /// <summary>The scores of all labels as one.</summary>
    public ClassScores Average(Averaging averaging) => averaging switch
    {
        Averaging.Micro => ClassScores.FromCounts(_both.Sum(), _predicted.Sum(), _actual.Sum()),
        Averaging.Macro => ClassScores.Mean(Enumerable.Range(0, _actual.Length).Select(column => (Scores(column), 1.0))),
        Averaging.Weighted => ClassScores.Mean(
            Enumerable.Range(0, _actual.Length).Select(column => (Scores(column), (double)_actual[column]))),
        _ => ClassScores.Mean(_rows),
    };
}
