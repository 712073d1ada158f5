namespace Attune.Metrics;

/// <summary>How often each class was taken for each other, and the scores that follow from it; all as scikit-learn defines them.</summary>
public sealed class ConfusionMatrix
{
    private readonly long[,] _counts;
    private readonly long[] _actual, _predicted;
    private readonly long _total, _correct;

    /// <summary>Counts rows of one label each.</summary>
    /// <param name="labels">True class of each row, from 0.</param>
    /// <param name="predictions">Predicted class of each row, from 0.</param>
    /// <param name="classes">Number of classes.</param>
    /// <exception cref="ArgumentException">The two differ in length, or a class lies outside 0 to <paramref name="classes"/> − 1.</exception>
    public ConfusionMatrix(ReadOnlySpan<int> labels, ReadOnlySpan<int> predictions, int classes)
    {
        if (labels.Length != predictions.Length)
            throw new ArgumentException($"There are {labels.Length} labels and {predictions.Length} predictions.", nameof(predictions));
        _counts = new long[classes, classes];
        _actual = new long[classes];
        _predicted = new long[classes];
        for (var row = 0; row < labels.Length; row++)
        {
            var (label, prediction) = (labels[row], predictions[row]);
            if ((uint)label >= (uint)classes || (uint)prediction >= (uint)classes)
                throw new ArgumentException(
                    $"Row {row} has label {label} and prediction {prediction}, but there are {classes} classes.", nameof(labels));
            _counts[label, prediction]++;
            _actual[label]++;
            _predicted[prediction]++;
            if (label == prediction) _correct++;
        }
        _total = labels.Length;
    }

    /// <summary>Number of classes.</summary>
    public int Classes => _actual.Length;

    /// <summary>Rows of class <paramref name="label"/> that were predicted as <paramref name="prediction"/>.</summary>
    public long this[int label, int prediction] => _counts[label, prediction];

    /// <summary>Rows of the class.</summary>
    public long Support(int label) => _actual[label];

    /// <summary>Share of rows whose class was predicted; not a number without rows.</summary>
    public double Accuracy => (double)_correct / _total;

    /// <summary>Mean recall of the classes that have rows.</summary>
    public double BalancedAccuracy
    {
        get
        {
            var present = Enumerable.Range(0, Classes).Where(label => _actual[label] > 0).ToArray();
            return present.Sum(label => Scores(label).Recall) / present.Length;
        }
    }

    /// <summary>Matthews' correlation of labels and predictions, −1 to 1; 0 where one of them is constant.</summary>
    /// <remarks>For more than two classes the R_K of Gorodkin (2004).</remarks>
    public double MatthewsCorrelation
    {
        get
        {
            double total = _total, together = total * _correct, actual = total * total, predicted = actual;
            for (var label = 0; label < Classes; label++)
            {
                together -= (double)_actual[label] * _predicted[label];
                actual -= (double)_actual[label] * _actual[label];
                predicted -= (double)_predicted[label] * _predicted[label];
            }
            return actual * predicted == 0 ? 0 : together / Math.Sqrt(actual * predicted);
        }
    }

    /// <summary>Cohen's kappa: agreement beyond chance; not a number where labels and predictions are the same constant.</summary>
    public double CohenKappa
    {
        get
        {
            var byChance = 0.0;
            for (var label = 0; label < Classes; label++) byChance += (double)_actual[label] * _predicted[label] / _total;
            return 1 - (_total - _correct) / (_total - byChance);
        }
    }

    /// <summary>The classes that are taken for others most often: by the number of rows, of equals by their share of the class, then in the order of the classes.</summary>
    /// <param name="most">How many pairs at most.</param>
    public IReadOnlyList<ConfusedPair> WorstPairs(int most) => [.. Enumerable.Range(0, Classes)
        .SelectMany(label => Enumerable.Range(0, Classes).Where(other => other != label && _counts[label, other] > 0)
            .Select(other => new ConfusedPair(label, other, _counts[label, other], (double)_counts[label, other] / _actual[label])))
        .OrderByDescending(pair => pair.Rows).ThenByDescending(pair => pair.Share).Take(most)];

    /// <summary>The scores of one class; of class 1 of two they are scikit-learn's <c>average="binary"</c>.</summary>
    public ClassScores Scores(int label) => ClassScores.FromCounts(_counts[label, label], _predicted[label], _actual[label]);

    /// <summary>The scores of all classes as one.</summary>
    /// <param name="averaging">Micro, macro or weighted.</param>
    /// <param name="absentClasses">
    /// Whether a class that occurs neither in labels nor in predictions counts in the macro mean with 0. scikit-learn leaves it out where it is
    /// not told the classes, and so does the Trainer.
    /// </param>
    public ClassScores Average(Averaging averaging, bool absentClasses = false) => averaging switch
    {
        Averaging.Micro => ClassScores.FromCounts(_correct, _total, _total),
        Averaging.Macro => ClassScores.Mean(Enumerable.Range(0, Classes)
            .Where(label => absentClasses || _actual[label] + _predicted[label] > 0).Select(label => (Scores(label), 1.0))),
        Averaging.Weighted => ClassScores.Mean(Enumerable.Range(0, Classes).Select(label => (Scores(label), (double)_actual[label]))),
        _ => throw new ArgumentOutOfRangeException(nameof(averaging), averaging, "Rows of one label have no mean over samples."),
    };
}

/// <summary>A class that is taken for another.</summary>
/// <param name="Label">The true class.</param>
/// <param name="Prediction">What it is taken for.</param>
/// <param name="Rows">How many rows are.</param>
/// <param name="Share">Their share of the rows of the true class.</param>
public readonly record struct ConfusedPair(int Label, int Prediction, long Rows, double Share);
