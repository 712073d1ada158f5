using Attune.Datasets;
using Attune.Metrics;

namespace Attune.Benchmarks;

/// <summary>Whether a temperature makes probabilities truer on rows that it was not fitted on: each half of Banking77's test split by that of the other.</summary>
internal sealed class CalibrationCheck : Check
{
    private const int Epochs = 15;

    internal override string Name => "calibration";

    internal override string Summary => "expected calibration error on one half of Banking77's test split with the temperature fitted on the other, as part of that without";

    protected override IEnumerable<CheckPart> Run()
    {
        using var data = new Banking77();
        var predicted = data.Predict(data.Rows(DatasetDict.Train), data.Rows(DatasetDict.Test), Epochs);
        EvalPrediction[] halves = [Half(predicted, 0), Half(predicted, 1)];
        Facts["accuracy"] = predicted.IsRight.Average(right => right ? 1.0 : 0);
        foreach (var (number, half) in halves.Index())
        {
            var fit = TemperatureScaling.Fit(halves[1 - number]);
            var (before, after) = (TemperatureScaling.Quality(half, 1), TemperatureScaling.Quality(half, fit.Temperature));
            yield return new($"half {number + 1}", after.ExpectedCalibrationError / before.ExpectedCalibrationError, 1, "of the error without", LowerIsBetter: true,
                Note: $"temperature {fit.Temperature:F3}, error {before.ExpectedCalibrationError:F4} without and {after.ExpectedCalibrationError:F4} with it, loss {before.LogLoss:F4} and {after.LogLoss:F4}");
        }
    }

    /// <summary>Each second row: the split is ordered by class, so both halves have all classes.</summary>
    private static EvalPrediction Half(EvalPrediction all, int first)
    {
        int[] rows = [.. Enumerable.Range(0, all.Rows).Where(row => row % 2 == first)];
        return all with
        {
            Logits = [.. rows.SelectMany(row => all.Logits[(row * all.Columns)..((row + 1) * all.Columns)])],
            Labels = Array.ConvertAll(rows, row => all.Labels[row]),
            Rows = rows.Length,
        };
    }
}
