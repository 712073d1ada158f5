using System.Globalization;
using Attune.Formats;
using Attune.Training;

namespace Attune.Cli.Experiments;

/// <summary>Cross-validation and repetition with several seeds: runs in folders below that of the command, and their results together.</summary>
internal static class Experiment
{
    /// <summary>Does the runs that are not done yet; the same command goes on with one that was stopped.</summary>
    /// <returns>The exit code.</returns>
    /// <exception cref="AttuneException">Something is wrong that the user can mend.</exception>
    internal static int Run(RunRequest request, TrainingArguments arguments, ExperimentArguments experiment, OutputArguments output, Terminal terminal)
    {
        var runs = UsageException.Check(() => experiment.Runs(arguments.Seed));
        if (request.Data.Fold is not null && experiment.Folds is not null) throw new UsageException("--fold runs one of the folds and --folds all; leave one out.");
        if (arguments.ResumeFromCheckpoint is not null) throw new UsageException(
            "--folds and --seeds always go on with what is in --output-dir; leave --resume-from-checkpoint out, or give --overwrite-output-dir to begin anew.");
        var folder = arguments.OutputDir;
        var record = ExperimentRecord.Open(folder, SeriesKey.Of(request), isNew: arguments.OverwriteOutputDir);
        foreach (var run in runs.Where(record.HasBegun)) request = request.AtItsCommits(Path.Combine(folder, run.Name));
        var series = new RunSeries(output, terminal);
        foreach (var (place, run) in runs.Index())
        {
            var where = $"Run {place + 1} of {runs.Count}, {run.Name}";
            if (record.Has(run))
            {
                terminal.Tell($"{where}: done before.");
                continue;
            }
            terminal.Tell($"{where}:");
            var own = Path.Combine(folder, run.Name);
            if (!record.HasBegun(run))
            {
                RunSeries.Clear(own);                          // of another experiment, whose checkpoints are not to be gone on from
                record.Begin(run);
            }
            var code = series.Run(run.Of(request), own).Code;
            if (code != ExitCode.Success) return code;
            record.Add(run, RunSeries.Results(own));
        }
        if (output.Json) terminal.Result(PythonJson.Write(record.Json, ensureAscii: false));
        else terminal.Result(Table(record, [.. runs.Select(run => run.Name)]));
        terminal.Tell($"All runs are in {folder}, and their results in {Path.Combine(folder, ExperimentRecord.FileName)}.");
        return ExitCode.Success;
    }

    private static string Table(ExperimentRecord record, IReadOnlyCollection<string> runs)
    {
        var table = new TextTable("metric", "mean", "standard deviation", "95% interval of the mean", "lowest", "highest");
        foreach (var (name, spread, lowest, highest) in record.Metrics(runs).Where(metric => IsResult(metric.Name)))
            table.Add(name, Number(spread.Mean), Number(spread.Deviation), spread.HalfWidth is { } half ? $"{Number(spread.Mean - half)} to {Number(spread.Mean + half)}" : "",
                $"{Number(lowest.Value)} ({lowest.Run})", $"{Number(highest.Value)} ({highest.Run})");
        return table.ToString();
    }

    /// <summary>Whether a value says how good a model is, and not how long it took or how many rows there were.</summary>
    internal static bool IsResult(string name) => !ProgressLine.IsTime(name) && name is not ("epoch" or "total_flos") && !name.Contains("_samples", StringComparison.Ordinal);

    private static string Number(double? value) => value?.ToString("0.0000", CultureInfo.InvariantCulture) ?? "";
}
