namespace Attune.Metrics;

/// <summary>How far predicted numbers are from the true ones; as scikit-learn defines it.</summary>
public static class Regression
{
    /// <summary>Mean squared error; not a number without values.</summary>
    public static double MeanSquaredError(ReadOnlySpan<double> labels, ReadOnlySpan<double> predictions)
    {
        Correlation.RefuseUnequal(labels, predictions);
        var sum = 0.0;
        for (var i = 0; i < labels.Length; i++) sum += (labels[i] - predictions[i]) * (labels[i] - predictions[i]);
        return sum / labels.Length;
    }

    /// <summary>Mean absolute error; not a number without values.</summary>
    public static double MeanAbsoluteError(ReadOnlySpan<double> labels, ReadOnlySpan<double> predictions)
    {
        Correlation.RefuseUnequal(labels, predictions);
        var sum = 0.0;
        for (var i = 0; i < labels.Length; i++) sum += Math.Abs(labels[i] - predictions[i]);
        return sum / labels.Length;
    }

    /// <summary>Coefficient of determination: the share of the variance that is explained. May be negative.</summary>
    /// <returns>For constant labels 1 where every prediction is right, else 0; not a number for fewer than two values.</returns>
    public static double R2(ReadOnlySpan<double> labels, ReadOnlySpan<double> predictions)
    {
        if (labels.Length < 2) return double.NaN;
        var mean = Correlation.Mean(labels);
        var variance = 0.0;
        foreach (var label in labels) variance += (label - mean) * (label - mean);
        var error = MeanSquaredError(labels, predictions) * labels.Length;
        return variance != 0 ? 1 - error / variance : error == 0 ? 1 : 0;
    }
}
