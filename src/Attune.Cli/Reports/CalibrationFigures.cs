using Attune.Metrics;

namespace Attune.Cli.Reports;

/// <summary>Whether the model is right as often as it says: as it is, as it answers now, and what a temperature would do.</summary>
/// <param name="Temperature">That of the model's folder, with which it answers; 1 for none.</param>
/// <param name="Plain">The quality of its probabilities without a temperature.</param>
/// <param name="Now">The same with that of its folder.</param>
/// <param name="Fit">The temperature that suits the evaluated rows; null where these are too few.</param>
/// <param name="CrossFitted">Each half of the rows (every second one) divided by the temperature that suits the other half: what a temperature does on rows that it was not fitted on; null where there are too few.</param>
/// <param name="Halves">These two temperatures, of the first and of the second half of the rows.</param>
internal sealed record CalibrationFigures(
    double Temperature, ProbabilityQuality Plain, ProbabilityQuality Now, TemperatureFit? Fit, EvalPrediction? CrossFitted, (double First, double Second) Halves)
{
    /// <summary>The fewest rows that a temperature is fitted to.</summary>
    internal const int LeastRows = 20;

    /// <summary>Of some rows.</summary>
    /// <param name="rows">With a label each.</param>
    /// <param name="temperature">That of the model's folder.</param>
    internal static CalibrationFigures Of(EvalPrediction rows, double temperature)
    {
        var plain = TemperatureScaling.Quality(rows, 1);
        var figures = new CalibrationFigures(temperature, plain, temperature == 1 ? plain : TemperatureScaling.Quality(rows, temperature), null, null, default);
        if (rows.Rows < LeastRows) return figures;
        var (first, second) = (TemperatureScaling.Fit(Half(rows, 0)).Temperature, TemperatureScaling.Fit(Half(rows, 1)).Temperature);
        var logits = (float[])rows.Logits.Clone();
        for (var i = 0; i < logits.Length; i++) logits[i] /= (float)(i / rows.Columns % 2 == 0 ? second : first);
        var crossFitted = rows with { Logits = logits };
        return figures with { Fit = TemperatureScaling.Fit(rows), CrossFitted = crossFitted, OnOthers = TemperatureScaling.Quality(crossFitted, 1), Halves = (first, second) };
    }

    /// <summary>The quality of <see cref="CrossFitted"/>; null with it.</summary>
    internal ProbabilityQuality? OnOthers { get; private init; }

    /// <summary>Whether the folder has a temperature.</summary>
    internal bool IsScaled => Temperature != 1;

    /// <summary>Whether the folder's temperature is the one that suits these rows, so that what it does on them is a little too good.</summary>
    internal bool IsOfTheseRows => IsScaled && Fit is { } fit && Math.Abs(fit.Temperature / Temperature - 1) < 1e-3;

    private static EvalPrediction Half(EvalPrediction rows, int which) =>
        Redraw.Select(rows, [.. Enumerable.Range(0, rows.Rows).Where(row => row % 2 == which)]);
}
