using System.Text.Json.Nodes;
using Attune.Metrics;

namespace Attune.Cli.Experiments;

/// <summary>Whether two runs that were evaluated on the same rows differ by more than chance.</summary>
/// <param name="First">Folder of the first.</param>
/// <param name="Second">Folder of the second.</param>
/// <param name="Metric">What is compared.</param>
/// <param name="Bootstrap">The difference, second less first, and how far it may be off.</param>
/// <param name="McNemar">For accuracy the exact test; else null.</param>
internal sealed record Significance(string First, string Second, string Metric, PairedBootstrap Bootstrap, McNemar? McNemar)
{
    private const string Accuracy = "accuracy";

    internal double P => McNemar?.P ?? Bootstrap.P;

    internal string Test => McNemar is null ? "paired bootstrap" : "McNemar, exact";

    /// <summary>Compares two runs by each metric that the predictions give.</summary>
    /// <param name="first">The first.</param>
    /// <param name="second">The second.</param>
    /// <param name="what">Which metrics, and how often rows are drawn.</param>
    /// <param name="whyNot">Why they cannot be compared; null where they can.</param>
    internal static IReadOnlyList<Significance> Of(FinishedRun first, FinishedRun second, CompareArguments what, out string? whyNot)
    {
        var (a, b) = (first.Predictions(), second.Predictions());
        whyNot = a is null || b is null ? $"{(a is null ? first : second).Folder} has no predictions of its evaluation, which a run with --save-eval-predictions true leaves"
            : a.Prediction.Task != b.Prediction.Task || !a.Classes.SequenceEqual(b.Classes) ? "they have other classes"
            : !a.Prediction.Labels.AsSpan().SequenceEqual(b.Prediction.Labels) ? "they were not evaluated on the same rows" : null;
        if (whyNot is not null) return [];
        var (left, right) = (a!.Prediction.Labelled(), b!.Prediction.Labelled());
        var names = what.Metrics.Count > 0 ? what.Metrics : [.. first.Metrics.Intersect(second.Metrics).Where(name => IsKnown(name, left))];
        return [.. names.Select(name => MetricTable.Find(name, left.Task, left.Columns)).Select(metric => new Significance(
            first.Folder, second.Folder, metric.Name, PairedBootstrap.Of(left, right, metric.Compute, what.Resamples, what.Seed),
            metric.Name == Accuracy && left.Task == TaskKind.SingleLabel ? Attune.Metrics.McNemar.Of(left, right) : null))];
    }

    internal JsonObject ToJson() => new()
    {
        ["first"] = First,
        ["second"] = Second,
        ["metric"] = Metric,
        ["difference"] = Bootstrap.Difference,
        ["interval_low"] = Bootstrap.Low,
        ["interval_high"] = Bootstrap.High,
        ["p"] = P,
        ["test"] = Test,
        ["only_first_right"] = McNemar?.OnlyFirst,
        ["only_second_right"] = McNemar?.OnlySecond,
    };

    /// <summary>Results have values besides the metrics: the loss, the mean of two metrics.</summary>
    private static bool IsKnown(string name, EvalPrediction prediction) => MetricTable.Names(prediction.Task).Contains(name);
}
