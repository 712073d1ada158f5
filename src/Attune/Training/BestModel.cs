using Attune.Checkpoints;

namespace Attune.Training;

/// <summary>Which evaluation is the best so far, by <c>metric_for_best_model</c>.</summary>
internal static class BestModel
{
    private const string Prefix = "eval_";

    /// <summary>The name of the metric among the results of an evaluation.</summary>
    internal static string MetricKey(TrainingArguments args) => args.MetricForBestModel is { } name && !name.StartsWith(Prefix, StringComparison.Ordinal)
        ? Prefix + name
        : args.MetricForBestModel ?? throw new InvalidOperationException("metric_for_best_model is not set");

    /// <summary>The value of the metric.</summary>
    /// <exception cref="AttuneException">The evaluation has no such metric.</exception>
    internal static double Metric(TrainingArguments args, IReadOnlyDictionary<string, double> metrics) =>
        metrics.TryGetValue(MetricKey(args), out var value) ? value : throw new AttuneException(
            $"metric_for_best_model is {args.MetricForBestModel}, but the evaluation gives only {string.Join(", ", metrics.Keys)}; name one of them.");

    /// <summary>Whether a value beats another. The first of equals stays the best, and what is not a number never is.</summary>
    internal static bool IsBetter(TrainingArguments args, double value, double best) => args.GreaterIsBetter == true ? value > best : value < best;

    /// <summary>Takes an evaluation into account; true if it is the best so far.</summary>
    internal static bool Update(TrainingArguments args, TrainerState state, IReadOnlyDictionary<string, double> metrics)
    {
        if (args.MetricForBestModel is null) return false;
        var value = Metric(args, metrics);
        state.BestMetric ??= args.GreaterIsBetter == true ? double.NegativeInfinity : double.PositiveInfinity;
        if (!IsBetter(args, value, state.BestMetric.Value)) return false;
        state.BestMetric = value;
        if (args.SaveStrategy != SaveStrategy.No) state.BestGlobalStep = state.GlobalStep;
        return true;
    }
}
