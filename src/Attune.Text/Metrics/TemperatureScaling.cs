namespace Attune.Metrics;

/// <summary>
/// Makes probabilities mean what they say: all logits are divided by one number, the temperature, chosen so that the negative log-likelihood of rows that
/// were not trained on is least (Guo et al., "On Calibration of Modern Neural Networks", 2017, section 4.2). What is predicted of one class a row does not change.
/// </summary>
/// <remarks>
/// As a function of β = 1 / temperature the log-likelihood is concave: its slope is Σ (z of the true class − mean of z under softmax(βz)), or of several labels
/// Σ z (label − σ(βz)). The place where that is zero is found by Newton's method, kept between two ends that always enclose it.
/// </remarks>
public static class TemperatureScaling
{
    /// <summary>The lowest temperature that is tried: what rows come to that are all right.</summary>
    public const double Least = 0.05;

    /// <summary>The highest: what rows come to of which the logits say nothing.</summary>
    public const double Most = 100;

    private const double Precision = 1e-10;
    private const int MostSteps = 200;

    // Logits that were made of probabilities have -infinity where a float held 0: as far below the highest as the smallest that it can hold.
    private const float Depth = 104;

    /// <summary>Fits the temperature.</summary>
    /// <param name="rows">Of one class a row, or of several labels, which have one temperature together; rows without a class are passed over.</param>
    /// <exception cref="AttuneException">The rows are of numbers, or there is no row with a label.</exception>
    public static TemperatureFit Fit(EvalPrediction rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        if (rows.Task == TaskKind.Regression) throw new AttuneException("A model for numbers has no probabilities to calibrate; leave the calibration out.");
        rows = rows.Labelled();
        if (rows.Rows == 0) throw new AttuneException("There is no row with a label to calibrate on; choose another split.");
        var temperature = Fitted(rows);
        return new TemperatureFit(temperature, rows.Rows, Quality(rows, 1), Quality(rows, temperature));
    }

    /// <summary>How good the probabilities of some rows are at a temperature.</summary>
    /// <param name="rows">Of one class a row, or of several labels.</param>
    /// <param name="temperature">Above 0.</param>
    public static ProbabilityQuality Quality(EvalPrediction rows, double temperature)
    {
        ArgumentNullException.ThrowIfNull(rows);
        rows = rows.Labelled();
        return new ProbabilityQuality(RowLosses.Of(rows, temperature).DefaultIfEmpty(double.NaN).Average(), Calibration.Of(rows, temperature).ExpectedError);
    }

    private static double Fitted(EvalPrediction rows)
    {
        Func<double, (double, double)> slope = rows.Task == TaskKind.MultiLabel ? OfLabels(rows) : OfClasses(rows);
        double low = 1 / Most, high = 1 / Least;
        if (slope(low).Item1 <= 0) return Most;
        if (slope(high).Item1 >= 0) return Least;
        var beta = 1.0;
        for (var step = 0; step < MostSteps && high - low > Precision * low; step++)
        {
            var (rise, bend) = slope(beta);
            if (rise > 0) low = beta;
            else high = beta;
            var next = beta + rise / bend;
            if (!(next > low && next < high)) next = Math.Sqrt(low * high);
            if (Math.Abs(next - beta) <= Precision * beta) return 1 / next;
            beta = next;
        }
        return 1 / beta;
    }

    /// <summary>Slope and bend (its negative second derivative) of the log-likelihood of one class a row.</summary>
    private static Func<double, (double Rise, double Bend)> OfClasses(EvalPrediction rows)
    {
        var (columns, labels, logits) = (rows.Columns, rows.ClassLabels, new float[rows.Logits.Length]);
        for (var start = 0; start < logits.Length; start += columns)
        {
            var highest = rows.Logits.AsSpan(start, columns).ToArray().Max();
            for (var i = start; i < start + columns; i++) logits[i] = Math.Max(rows.Logits[i] - highest, -Depth);
        }
        return beta =>
        {
            double rise = 0, bend = 0;
            for (var row = 0; row < labels.Length; row++)
            {
                double sum = 0, first = 0, second = 0;
                foreach (double z in logits.AsSpan(row * columns, columns))
                {
                    var share = Math.Exp(beta * z);
                    sum += share;
                    first += share * z;
                    second += share * z * z;
                }
                var mean = first / sum;
                rise += logits[row * columns + labels[row]] - mean;
                bend += second / sum - mean * mean;
            }
            return (rise, bend);
        };
    }

    /// <summary>The same of several labels, each a decision of its own.</summary>
    private static Func<double, (double Rise, double Bend)> OfLabels(EvalPrediction rows)
    {
        var (has, logits) = (rows.HasLabel, Array.ConvertAll(rows.Logits, logit => Math.Clamp(logit, -Depth, Depth)));
        return beta =>
        {
            double rise = 0, bend = 0;
            for (var i = 0; i < logits.Length; i++)
            {
                double z = logits[i], probability = 1 / (1 + Math.Exp(-beta * z));
                rise += z * ((has[i] ? 1 : 0) - probability);
                bend += z * z * probability * (1 - probability);
            }
            return (rise, bend);
        };
    }
}

/// <summary>How good probabilities are.</summary>
/// <param name="LogLoss">Mean loss of a row (its negative log-likelihood), of several labels their mean; what the temperature makes least.</param>
/// <param name="ExpectedCalibrationError">As <see cref="Calibration.ExpectedError"/> of <see cref="Calibration.Of"/>.</param>
public readonly record struct ProbabilityQuality(double LogLoss, double ExpectedCalibrationError);

/// <summary>A temperature, and what it does on the rows that it was fitted on.</summary>
/// <param name="Temperature">Logits are divided by it; above 1 where the model is too sure of itself.</param>
/// <param name="Rows">On how many rows it was fitted.</param>
/// <param name="Before">The quality at temperature 1.</param>
/// <param name="After">The quality at this temperature.</param>
public sealed record TemperatureFit(double Temperature, int Rows, ProbabilityQuality Before, ProbabilityQuality After);
