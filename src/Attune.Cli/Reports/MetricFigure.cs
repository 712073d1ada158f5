using Attune.Cli.Experiments;
using Attune.Cli.Pages;
using Attune.Metrics;

namespace Attune.Cli.Reports;

/// <summary>A result of a run, and how far it may be off.</summary>
/// <param name="Name">As in the results, without eval_ or test_.</param>
/// <param name="Value">The result.</param>
/// <param name="Interval">In which it lies with a confidence of 95 of 100; null where it is not known: of an accuracy the number of rows says it, of other metrics only predictions that were kept.</param>
/// <param name="Baseline">What the best constant answer reaches; null where that is not known.</param>
internal sealed record MetricFigure(string Name, double Value, Interval? Interval, double? Baseline)
{
    private const string Eval = "eval_", Test = "test_", Accuracy = "accuracy";

    // Drawn rows up to which no one waits: a second or two for a metric that sorts.
    private const long MostDrawn = 20_000_000;

    /// <summary>The interval in words; empty where it is not known.</summary>
    internal string SaidInterval => Interval is { } interval ? Figures.Interval(interval.Low, interval.High) : "";

    /// <summary>How often rows are drawn: less often where there are so many that an interval is sure anyway.</summary>
    internal static int Draws(EvalPrediction rows, int wanted) => (int)Math.Clamp(MostDrawn / Math.Max(1, (long)rows.Rows * rows.Columns), 100, wanted);

    /// <summary>The results of the evaluation.</summary>
    internal static IReadOnlyList<MetricFigure> Of(RunFacts run, int resamples, long seed) => Of(run, Eval, run.Rows, resamples, seed);

    /// <summary>The results of the test split.</summary>
    internal static IReadOnlyList<MetricFigure> OfTest(RunFacts run, int resamples, long seed) => run.AreFolds ? [] : Of(run, Test, run.TestRows, resamples, seed);

    /// <summary>How many rows the test split had; null where the results do not say.</summary>
    internal static double? TestRows(RunFacts run) => Samples(run, Test);

    private static IReadOnlyList<MetricFigure> Of(RunFacts run, string prefix, EvalPrediction? all, int resamples, long seed)
    {
        var results = run.Run.Results;
        var names = results.Keys.Where(key => key.StartsWith(prefix, StringComparison.Ordinal) && Experiment.IsResult(key) && !key.EndsWith(EvaluationNotes.OfBaseline, StringComparison.Ordinal))
            .Select(key => key[prefix.Length..]);
        return [.. names.Select(One).OfType<MetricFigure>()];

        MetricFigure? One(string name)
        {
            var (value, rows, isAtThreshold) = (results[prefix + name], all, name.EndsWith(EvaluationNotes.AtThreshold, StringComparison.Ordinal));
            double? baseline = results.TryGetValue(prefix + name + EvaluationNotes.OfBaseline, out var constant) && !run.AreFolds ? constant : null;
            if (rows is null || Measured(name, rows) is not { } metric)
                return run.AreFolds ? null : new MetricFigure(name, value, OfAccuracy(name, value, Samples(run, prefix)), baseline);
            // The thresholds of one fold are not those of all rows.
            if (isAtThreshold && run.AreFolds) return null;
            if (!isAtThreshold) rows = rows with { Thresholds = null };
            return new MetricFigure(name, run.AreFolds ? metric.Compute(rows) : value, IntervalOf(rows, metric, resamples, seed), baseline);
        }
    }

    /// <summary>Of an accuracy that was counted over some rows; null of all other results.</summary>
    internal static Interval? OfAccuracy(string name, double value, double? rows) =>
        name is Accuracy && rows is > 0 and var count && value is >= 0 and <= 1 ? WilsonInterval.Of((long)Math.Round(value * count), (long)count) : null;

    private static double? Samples(RunFacts run, string prefix) => run.Run.Results.TryGetValue(prefix + "samples", out var count) ? count : null;

    private static Metric? Measured(string name, EvalPrediction rows)
    {
        if (name.EndsWith(EvaluationNotes.AtThreshold, StringComparison.Ordinal)) name = name[..^EvaluationNotes.AtThreshold.Length];
        return MetricTable.Names(rows.Task).Contains(name) ? MetricTable.Find(name, rows.Task, rows.Columns) : null;
    }

    private static Interval IntervalOf(EvalPrediction rows, Metric metric, int resamples, long seed) =>
        metric.Name == Accuracy ? WilsonInterval.Of(rows.IsRight.AsSpan().Count(true), rows.Rows) : Bootstrap.Of(rows, metric.Compute, Draws(rows, resamples), seed);
}
