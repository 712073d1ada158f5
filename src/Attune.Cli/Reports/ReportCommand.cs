using System.Text.Json.Nodes;
using Attune.Formats;
using Attune.Training;

namespace Attune.Cli.Reports;

/// <summary><c>attune report</c>: what a run is worth, as a page.</summary>
internal static class ReportCommand
{
    private const string FileName = "report.html";

    internal static Verb Verb { get; } = new(
        "report", "Writes a page on a run: curves, classes, confidence, errors, suspected labels, and what it was made of; two runs side by side.",
        ("RUN", "The folder of a run, or that of a cross-validation (attune train --folds); trainer_output where none is named. A second one is compared with it."),
        [new("Report", ArgumentTable.Of<ReportArguments>()), new("Output", ArgumentTable.Of<OutputArguments>())], Run)
    {
        Examples = ["attune report trainer_output", "attune report run-a run-b --output-file both.html", "attune report trainer_output --plots plots --no-texts"],
    };

    private static int Run(ArgumentValues values, Terminal terminal)
    {
        var output = values.Create<OutputArguments>().Apply(terminal);
        var what = values.Create<ReportArguments>();
        if (what.Resamples < 100) throw new UsageException($"resamples is {what.Resamples}; it must be at least 100.");
        if (what.Rows < 0 || what.Attributions < 0) throw new UsageException("rows and attributions must be at least 0.");
        if (values.Texts.Count > 2) throw new UsageException("attune report takes one run, or two to compare; attune compare shows more.");
        var run = RunFacts.Read(values.Texts is [var named, ..] ? named : Names.LastRun);
        var second = values.Texts is [_, var other] ? RunFacts.Read(other) : null;
        var file = what.OutputFile ?? Path.Combine(run.Folder, FileName);
        AtomicFile.RequireWritable(file);
        var report = Make(run, second, what, terminal);
        AtomicFile.WriteText(file, report.Page.ToString());
        terminal.Tell($"The report is in {file}.");
        var json = new JsonObject { ["report"] = file };
        if (what.Plots is { } folder)
        {
            var plots = report.WritePlots(folder);
            json["plots"] = folder;
            terminal.Tell($"{plots} charts are in {folder}, each as SVG and PNG.");
        }
        if (what.ModelCard && !run.AreFolds)
        {
            var (card, whyNot) = (ModelCard.FileOf(run.Folder), ModelCard.Write(run));
            if (whyNot is null) json["model_card"] = card;
            terminal.Tell(whyNot is null ? $"The model card is {card}." : $"The model card {card} stays as it is: {whyNot}.");
        }
        if (output.Json) terminal.Result(PythonJson.Write(json, ensureAscii: false));
        return ExitCode.Success;
    }

    /// <summary>The report of a run, beside another where that is given.</summary>
    internal static Report Make(RunFacts run, RunFacts? second, ReportArguments what, Terminal terminal)
    {
        var report = new Report(second is null ? $"Report of {run.Name}" : $"Report of {run.Name} and {second.Name}");
        SummarySection.Add(report, run, what);
        if (second is not null) ComparisonSection.Add(report, run, second, what);
        if (run.Rows is { Rows: > 0 } rows)
        {
            var texts = EvaluatedTexts.Find(run, terminal, out var whyNot);
            var shown = new ShownRows(run, texts, what.Texts);
            if (second is not null) ComparisonSection.AddRows(report, run, second, shown, what);
            if (rows.Task == TaskKind.Regression) NumbersSection.Add(report, run);
            else
            {
                ClassesSection.Add(report, run, shown, what);
                CalibrationSection.Add(report, run);
                ThresholdSection.Add(report, run);
            }
            ErrorsSection.Add(report, run, texts, whyNot, shown, what);
            LabelsSection.Add(report, run, shown, what);
            if (what.Attributions > 0 && what.Texts && texts is not null) AttributionsSection.Add(report, run, texts, shown, what, terminal);
        }
        if (run.TestRows is { Rows: > 0, Task: not TaskKind.Regression } tested) ClassesSection.AddOfTest(report, run, tested, what);
        TrainingSection.Add(report, [.. run.Runs, .. second?.Runs ?? []]);
        RunSection.Add(report, run);
        return report;
    }
}
