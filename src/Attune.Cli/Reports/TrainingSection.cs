using Attune.Cli.Experiments;
using Attune.Cli.Pages;

namespace Attune.Cli.Reports;

/// <summary>How training went: loss, metrics, learning rate, size of the gradient, speed.</summary>
internal static class TrainingSection
{
    internal static void Add(Report report, IReadOnlyList<FinishedRun> runs)
    {
        report.Page.Section("Training");
        var names = runs.Count == 1 ? [""] : CardNames.Folders([.. runs.Select(run => run.Folder)]);
        var measured = LearningCurves.Measured(runs).ToList();
        (string Key, string Name, string Title)[] curves =
        [
            ("loss", "training-loss", "Training loss"),
            .. measured.Select(metric => ("eval_" + metric, "eval-" + FileName(metric), $"{metric} on the evaluation rows")),
            ("learning_rate", "learning-rate", "Learning rate"), ("grad_norm", "gradient-norm", "Norm of the gradient before clipping"),
        ];
        var shown = 0;
        foreach (var (key, name, title) in curves)
        {
            if (!runs.Any(run => LearningCurves.Points(run, key).Any())) continue;
            var plot = LearningCurves.Plot(runs, key);
            report.Add(name, plot with { Title = title, Series = [.. plot.Series.Zip(names, (series, run) => series with { Name = run })] });
            shown++;
        }
        Series[] speeds = [.. runs.Zip(names, (run, name) => new Series(name, Throughput.Of(run)) { HasMarks = true })];
        if (speeds.Any(speed => speed.Points.Count > 0))
            report.Add("throughput", new LinePlot("Training speed", "update", "rows/s", speeds)
            {
                XFrom = 0,
                IsXWhole = true,
                YFrom = 0,
                Description = "Between two lines of the log, without evaluations; what training waits for checkpoints is in it. It tells as much of what else the machine did as of the run.",
            });
        if (shown == 0) report.Page.Missing("Left out: the run logged nothing. Train it with --logging-steps 10 or --eval-strategy epoch.");
        var table = new HtmlTable("Time", "run", "seconds of training", "rows per second", "mean training loss");
        foreach (var (run, name) in runs.Zip(CardNames.Folders([.. runs.Select(run => run.Folder)])))
            if (run.Results.TryGetValue("train_runtime", out var seconds))
                table.Add(name, Figures.Number(seconds), Value(run, "train_samples_per_second"), Value(run, "train_loss"));
        if (table.Count > 0) report.Page.Add(table);
    }

    /// <summary>A metric as part of the name of a file.</summary>
    private static string FileName(string metric) => string.Concat(metric.Select(letter => char.IsAsciiLetterOrDigit(letter) ? letter : '-'));

    private static string Value(FinishedRun run, string name) => run.Results.TryGetValue(name, out var value) ? Figures.Number(value) : "";
}
