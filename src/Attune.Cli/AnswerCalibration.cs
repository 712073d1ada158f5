using System.Globalization;
using Attune.Inference;
using Attune.Metrics;

namespace Attune.Cli;

/// <summary>How sure answers are and which are given: what was fitted on evaluated rows, or what the model's folder says.</summary>
/// <param name="Temperature">By which logits are divided.</param>
/// <param name="AbstainBelow">Below which confidence a text is left unanswered; null for none.</param>
internal sealed record AnswerCalibration(double Temperature, double? AbstainBelow)
{
    internal const string AtTemperature = "_at_temperature";

    /// <summary>Nothing is changed, and all is answered.</summary>
    internal static AnswerCalibration None { get; } = new(1, null);

    /// <summary>Fits what is asked for.</summary>
    /// <param name="source">Says what is asked for.</param>
    /// <param name="rows">The rows to fit on, with the thresholds of several labels.</param>
    /// <param name="settings">What else holds.</param>
    /// <param name="tell">Is told what was fitted.</param>
    internal static AnswerCalibration Of(DataSource source, EvalPrediction rows, PredictionSettings settings, Action<string> tell)
    {
        if (rows.Task == TaskKind.Regression) return None;
        var calibration = new AnswerCalibration(settings.Temperature, settings.AbstainBelow);
        if (source.Calibrates)
        {
            var fit = TemperatureScaling.Fit(rows);
            calibration = calibration with { Temperature = fit.Temperature };
            tell(string.Create(CultureInfo.InvariantCulture,
                $"Temperature {fit.Temperature:0.0000}: on the {fit.Rows} rows it was fitted on the expected calibration error is {fit.After.ExpectedCalibrationError:0.0000} with it and {fit.Before.ExpectedCalibrationError:0.0000} without, the loss {fit.After.LogLoss:0.0000} and {fit.Before.LogLoss:0.0000}."));
        }
        if (source.Abstention is not { } choice) return calibration;
        calibration = calibration with { AbstainBelow = choice.Of(rows, calibration.Temperature) };
        if (calibration.AbstainBelow is not { } least)
        {
            tell(string.Create(CultureInfo.InvariantCulture,
                $"No confidence makes {choice.Accuracy} of the answers right, the most is {AbstentionCurve.Of(rows, calibration.Temperature).Points.Max(point => point.Accuracy):0.0000}: all texts are answered."));
            return calibration;
        }
        var point = AbstentionCurve.Of(rows, calibration.Temperature).At(least);
        tell(string.Create(CultureInfo.InvariantCulture,
            $"Texts of a confidence below {least:0.0000} are left unanswered: {point.Answered} of {rows.Labelled().Rows} rows are answered, {point.Accuracy:0.0000} of them right."));
        return calibration;
    }

    /// <summary>Adds what the calibration does on some rows, such as eval_ece_at_temperature and eval_coverage; nothing where it changes nothing.</summary>
    internal void AddTo(OrderedDictionary<string, double> metrics, EvalPrediction rows, string prefix)
    {
        if (Temperature != 1)
        {
            ProbabilityQuality before = TemperatureScaling.Quality(rows, 1), after = TemperatureScaling.Quality(rows, Temperature);
            metrics.TryAdd(prefix + "_ece", before.ExpectedCalibrationError);
            metrics.TryAdd(prefix + "_log_loss", before.LogLoss);
            metrics[prefix + "_ece" + AtTemperature] = after.ExpectedCalibrationError;
            metrics[prefix + "_log_loss" + AtTemperature] = after.LogLoss;
        }
        if (AbstainBelow is not { } least) return;
        var point = AbstentionCurve.Of(rows, Temperature).At(least);
        metrics[prefix + "_coverage"] = point.Coverage;
        if (point.Answered > 0) metrics[prefix + "_accuracy_answered"] = point.Accuracy;
    }

    /// <summary>Leaves what was fitted to those who predict with the model, beside what its folder says already; thresholds there go along with the temperature.</summary>
    internal void SaveWhereAsked(string folder, DataSource source)
    {
        if (source.Calibrates || source.Abstention is not null) With(PredictionSettings.Load(folder)).Save(folder);
    }

    /// <summary>The settings with this in the place of their own, and the same labels predicted.</summary>
    internal PredictionSettings With(PredictionSettings settings)
    {
        var change = Temperature / settings.Temperature;
        return settings with
        {
            Temperature = Temperature,
            AbstainBelow = AbstainBelow,
            Threshold = LabelThresholds.AtTemperature(settings.Threshold, change),
            Thresholds = settings.Thresholds.ToDictionary(pair => pair.Key, pair => LabelThresholds.AtTemperature(pair.Value, change)),
        };
    }
}
