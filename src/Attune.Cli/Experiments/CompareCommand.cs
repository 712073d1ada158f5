using System.Globalization;
using System.Text.Json.Nodes;
using Attune.Checkpoints;
using Attune.Cli.Pages;
using Attune.Formats;
using Attune.Training;

namespace Attune.Cli.Experiments;

/// <summary><c>attune compare</c>: runs side by side.</summary>
internal static class CompareCommand
{
    // Where a run is written is not what makes it different.
    private static readonly string[] NotCompared = ["output_dir", "run_name", "logging_dir"];

    internal static Verb Verb { get; } = new(
        "compare", "Shows runs side by side: the arguments that differ, their results, and whether the differences are more than chance.",
        ("RUN", "The folder of a run; that of several folds or seeds or of a sweep stands for the runs in it."),
        [new("Comparison", ArgumentTable.Of<CompareArguments>()), new("Output", ArgumentTable.Of<OutputArguments>())], Run)
    {
        Examples = ["attune compare run-a run-b", "attune compare run-a run-b --metrics accuracy f1_macro --plot curves.svg"],
    };

    private static int Run(ArgumentValues values, Terminal terminal)
    {
        var output = values.Create<OutputArguments>().Apply(terminal);
        var what = values.Create<CompareArguments>();
        if (what.Resamples < 100) throw new UsageException($"resamples is {what.Resamples}; it must be at least 100.");
        string[] folders = [.. values.Texts.SelectMany(FinishedRun.Folders).Select(Path.TrimEndingDirectorySeparator).Distinct()];
        if (folders.Length < 2) throw new UsageException("attune compare takes two runs or more; name their folders.");
        if (what.Plot is not null) PlotFile.Require(what.Plot);
        FinishedRun[] runs = [.. folders.Select(FinishedRun.Read)];
        var tests = new List<Significance>();
        var untested = new List<string>();
        foreach (var other in runs[1..])
        {
            tests.AddRange(Significance.Of(runs[0], other, what, out var whyNot));
            if (whyNot is not null) untested.Add($"{runs[0].Folder} and {other.Folder} are not tested against each other: {whyNot}.");
        }
        if (output.Json) terminal.Result(PythonJson.Write(AsJson(runs, tests), ensureAscii: false));
        else
        {
            terminal.Result(SideBySide(runs));
            if (tests.Count > 0) terminal.Result("\n" + Tested(tests));
        }
        foreach (var line in untested) terminal.Tell(line);
        if (what.Plot is { } file)
        {
            PlotFile.Write(file, LearningCurves.Of(runs, what.Metrics));
            terminal.Tell($"The learning curves are in {file}.");
        }
        return ExitCode.Success;
    }

    private static IEnumerable<string> Differing(FinishedRun[] runs) => runs.SelectMany(run => run.Arguments.Select(pair => pair.Key)).Distinct()
        .Where(name => !NotCompared.Contains(name) && runs.Select(run => SeriesKey.Said(run.Arguments[name])).Distinct().Count() > 1);

    private static IEnumerable<string> Measured(FinishedRun[] runs) =>
        runs.SelectMany(run => run.Results.Keys).Distinct().Where(name => Experiment.IsResult(name) || name == "train_runtime");

    private static string SideBySide(FinishedRun[] runs)
    {
        var table = new TextTable(["", .. runs.Select(run => run.Folder)]);
        foreach (var name in Differing(runs)) table.Add([name, .. runs.Select(run => SeriesKey.Said(run.Arguments[name]))]);
        foreach (var name in Measured(runs)) table.Add([name, .. runs.Select(run => run.Results.TryGetValue(name, out var value) ? Value(name, value) : "")]);
        return table.ToString();
    }

    private static string Tested(List<Significance> tests)
    {
        var table = new TextTable("metric", "from", "to", "difference", "95% interval", "p", "test");
        foreach (var test in tests)
            table.Add(test.Metric, test.First, test.Second, Number(test.Bootstrap.Difference), $"{Number(test.Bootstrap.Low)} to {Number(test.Bootstrap.High)}",
                test.P.ToString("0.####", CultureInfo.InvariantCulture),
                test.McNemar is { } exact ? $"{test.Test} ({exact.OnlyFirst} and {exact.OnlySecond} rows that only one has right)" : test.Test);
        return table.ToString();
    }

    private static JsonObject AsJson(FinishedRun[] runs, List<Significance> tests)
    {
        var differing = Differing(runs).ToList();
        return new JsonObject
        {
            ["runs"] = new JsonArray([.. runs.Select(run => new JsonObject
            {
                ["run"] = run.Folder,
                ["arguments"] = new JsonObject(differing.Select(name => KeyValuePair.Create(name, run.Arguments[name]?.DeepClone()))),
                ["results"] = TrainerStateJson.Entry(run.Results),
            })]),
            ["tests"] = new JsonArray([.. tests.Select(test => test.ToJson())]),
        };
    }

    private static string Value(string name, double value) => name == "train_runtime" ? ProgressLine.Duration(TimeSpan.FromSeconds(value)) : Number(value);

    private static string Number(double value) => value.ToString("0.0000", CultureInfo.InvariantCulture);
}
