namespace Attune.Metrics;

/// <summary>One bin of a reliability diagram: rows whose confidence lies in (Index / B, (Index + 1) / B].</summary>
/// <param name="Index">From 0.</param>
/// <param name="Rows">Rows in the bin.</param>
/// <param name="Accuracy">Share of them that are right.</param>
/// <param name="Confidence">Mean of their highest probability.</param>
public readonly record struct CalibrationBin(int Index, int Rows, double Accuracy, double Confidence);

/// <summary>Whether a model is right as often as it believes: rows in bins of equal width by their highest probability (Guo et al., 2017).</summary>
public sealed class Calibration
{
    /// <summary>Number of bins that the paper uses.</summary>
    public const int DefaultBins = 15;

    private readonly int _rows;

    /// <summary>Puts the rows into bins.</summary>
    /// <param name="labels">True class of each row.</param>
    /// <param name="probabilities">Rows × classes, row-major.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="bins">Number of bins, at least 1.</param>
    public Calibration(ReadOnlySpan<int> labels, ReadOnlySpan<double> probabilities, int classes, int bins = DefaultBins)
    {
        var (counts, hits, confidences) = (new int[bins], new int[bins], new double[bins]);
        var predictions = Metrics.Probabilities.ArgMax(probabilities, classes);
        _rows = labels.Length;
        for (var row = 0; row < labels.Length; row++)
        {
            var confidence = probabilities[row * classes + predictions[row]];
            var bin = Bin(confidence, bins);
            counts[bin]++;
            confidences[bin] += confidence;
            if (predictions[row] == labels[row]) hits[bin]++;
        }
        Bins = [.. Enumerable.Range(0, bins).Where(bin => counts[bin] > 0).Select(bin =>
            new CalibrationBin(bin, counts[bin], (double)hits[bin] / counts[bin], confidences[bin] / counts[bin]))];
    }

    /// <summary>Of an evaluation. Each label of several is a decision of its own between two classes, whether the row has it or not.</summary>
    /// <param name="rows">Of one class a row, or of several labels; rows without a class are passed over.</param>
    /// <param name="temperature">By which logits are divided; see <see cref="TemperatureScaling"/>. Default 1.</param>
    /// <param name="bins">Number of bins, at least 1.</param>
    /// <exception cref="ArgumentException">The rows are of numbers.</exception>
    public static Calibration Of(EvalPrediction rows, double temperature = 1, int bins = DefaultBins)
    {
        ArgumentNullException.ThrowIfNull(rows);
        if (rows.Task == TaskKind.Regression) throw new ArgumentException("Numbers have no probabilities.", nameof(rows));
        rows = rows.Labelled();
        var scores = Metrics.Probabilities.Of(rows.Logits, rows.Columns, rows.Task, temperature);
        if (rows.Task == TaskKind.SingleLabel) return new Calibration(rows.ClassLabels, scores, rows.Columns, bins);
        var both = new double[2 * scores.Length];
        for (var i = 0; i < scores.Length; i++) (both[2 * i], both[2 * i + 1]) = (1 - scores[i], scores[i]);
        return new Calibration(Array.ConvertAll(rows.HasLabel, has => has ? 1 : 0), both, 2, bins);
    }

    /// <summary>The bins that have rows, in order.</summary>
    public IReadOnlyList<CalibrationBin> Bins { get; }

    /// <summary>Expected calibration error: mean gap of accuracy and confidence, weighted by rows; 0 to 1.</summary>
    public double ExpectedError => Bins.Sum(bin => bin.Rows * Gap(bin)) / _rows;

    /// <summary>Maximum calibration error: the widest gap of any bin; 0 to 1, not a number without rows.</summary>
    public double MaximumError => Bins.Count == 0 ? double.NaN : Bins.Max(Gap);

    private static double Gap(CalibrationBin bin) => Math.Abs(bin.Accuracy - bin.Confidence);

    private static int Bin(double confidence, int bins)
    {
        var bin = Math.Clamp((int)Math.Ceiling(confidence * bins) - 1, 0, bins - 1);
        // The product is rounded; the edges decide.
        while (bin > 0 && confidence <= (double)bin / bins) bin--;
        while (bin < bins - 1 && confidence > (double)(bin + 1) / bins) bin++;
        return bin;
    }
}
