using System.Globalization;
using Attune.Inference;
using Attune.Metrics;

namespace Attune.Cli;

/// <summary>What is said of an evaluation besides its metrics: what a constant answer would reach, and the metrics at other thresholds than 0.5.</summary>
internal static class EvaluationNotes
{
    internal const string AtThreshold = "_at_threshold", OfBaseline = "_baseline";

    /// <summary>The metrics of the best constant answer, such as eval_accuracy_baseline; those that it leaves undefined are left out.</summary>
    /// <remarks>Numbers are measured by their squared error too, for a constant has no correlation.</remarks>
    internal static IReadOnlyDictionary<string, double> Baseline(EvalPrediction rows, DataSource source, string prefix)
    {
        var constant = Metrics.Baseline.Of(rows);
        var values = new OrderedDictionary<string, double>(source.ComputeMetrics()(constant));
        if (rows.Task == TaskKind.Regression) values.TryAdd("mse", MetricTable.Find("mse", rows.Task, rows.Columns).Compute(constant));
        return values.Where(metric => double.IsFinite(metric.Value)).ToDictionary(metric => $"{prefix}_{metric.Key}{OfBaseline}", metric => metric.Value);
    }

    /// <summary>One line that says what a model must be better than.</summary>
    internal static string Describe(IReadOnlyDictionary<string, double> baseline, EvalPrediction rows, DataSource source) =>
        $"Without reading a text ({Metrics.Baseline.Describe(rows, source.ModelLabels)}): " + string.Join(", ", baseline.Select(metric =>
            string.Create(CultureInfo.InvariantCulture, $"{metric.Key[..^OfBaseline.Length]} {metric.Value:0.0000}"))) + ".";

    /// <summary>The metrics that change with the thresholds, such as eval_f1_at_threshold; none where there are no thresholds.</summary>
    internal static IReadOnlyDictionary<string, double> AtThresholds(EvalPrediction rows, IReadOnlyList<double>? thresholds, DataSource source, string prefix) =>
        thresholds is null ? new Dictionary<string, double>() : source.Metrics.Where(metric => metric.HasThresholds)
            .ToDictionary(metric => $"{prefix}_{metric.Name}{AtThreshold}", metric => metric.Compute(rows with { Thresholds = thresholds }));

    /// <summary>Puts thresholds into a model's folder, beside what it says already; where that is a temperature, as they are with it.</summary>
    internal static void Save(string folder, IReadOnlyList<double> thresholds, IReadOnlyList<string> names)
    {
        var settings = PredictionSettings.Load(folder);
        (settings with
        {
            Thresholds = names.Zip(thresholds).ToDictionary(pair => pair.First, pair => LabelThresholds.AtTemperature(pair.Second, settings.Temperature)),
        }).Save(folder);
    }

    /// <summary>The thresholds of a folder as they are without its temperature.</summary>
    internal static IReadOnlyList<double> Plain(IReadOnlyList<double> thresholds, double temperature) =>
        [.. thresholds.Select(threshold => LabelThresholds.AtTemperature(threshold, 1 / temperature))];

    /// <summary>One line that says which thresholds were chosen.</summary>
    internal static string Describe(IReadOnlyList<double> thresholds, IReadOnlyList<string> names) => "Thresholds: " +
        DataSource.List([.. names.Select((name, i) => string.Create(CultureInfo.InvariantCulture, $"{name} {thresholds[i]:0.00##}"))]);
}
