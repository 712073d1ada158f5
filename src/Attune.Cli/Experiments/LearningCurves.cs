using Attune.Cli.Pages;

namespace Attune.Cli.Experiments;

/// <summary>The learning curves of runs: a chart of the training loss and one for each metric of the evaluations.</summary>
internal static class LearningCurves
{
    private const int MostMarks = 60;

    /// <summary>The charts in one picture.</summary>
    /// <param name="runs">With their logs.</param>
    /// <param name="metrics">Which metrics; none for all that an evaluation gave.</param>
    internal static PlotSheet Of(IReadOnlyList<FinishedRun> runs, IReadOnlyList<string> metrics)
    {
        IEnumerable<string> measured = metrics.Count > 0 ? metrics : Measured(runs);
        string[] keys = [.. new[] { "loss" }.Concat(measured.Select(name => "eval_" + name)).Where(key => runs.Any(run => Points(run, key).Any()))];
        return new PlotSheet("Learning curves", [.. keys.Select(key => Plot(runs, key))]);
    }

    /// <summary>The metrics that evaluations gave, without eval_.</summary>
    internal static IEnumerable<string> Measured(IReadOnlyList<FinishedRun> runs) => runs.SelectMany(run => run.Log.SelectMany(entry => entry.Keys))
        .Where(key => key.StartsWith("eval_", StringComparison.Ordinal) && Experiment.IsResult(key)).Select(key => key["eval_".Length..]).Distinct();

    /// <summary>One value that runs log, over their updates.</summary>
    internal static LinePlot Plot(IReadOnlyList<FinishedRun> runs, string key) => new(key == "loss" ? "training loss" : key, "update", "", [.. runs.Select(run =>
    {
        PlotPoint[] points = [.. Points(run, key)];
        return new Series(run.Folder, points) { HasMarks = points.Length <= MostMarks };
    })])
    { XFrom = 0, IsXWhole = true };

    /// <summary>The first value of each step: at the end the best model may have been measured once more, which is no part of the way there.</summary>
    internal static IEnumerable<PlotPoint> Points(FinishedRun run, string key) => run.Log
        .Where(entry => entry.TryGetValue(key, out var value) && double.IsFinite(value) && entry.ContainsKey("step"))
        .Select(entry => new PlotPoint(entry["step"], entry[key])).DistinctBy(point => point.X);
}
