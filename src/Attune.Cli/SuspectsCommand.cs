using System.Globalization;
using System.Text.Json.Nodes;
using Attune.Cli.Experiments;
using Attune.Formats;
using Attune.Training;

namespace Attune.Cli;

/// <summary><c>attune suspects</c>: the labels of the training texts that are likely wrong.</summary>
internal static class SuspectsCommand
{
    private const int MostShown = 10, Widest = 60;

    internal static Verb Verb { get; } = new(
        "suspects", "Finds labels that are likely wrong, from a cross-validation (attune train --folds 5): what the folds say of texts they were not trained on.",
        ("FOLDER", "The folder of the cross-validation."),
        [new("Suspects", ArgumentTable.Of<SuspectsArguments>()), new("Output", ArgumentTable.Of<OutputArguments>())], Run)
    {
        Examples = ["attune suspects trainer_output", "attune suspects trainer_output --most 100 --output-file to-check.csv"],
    };

    private static int Run(ArgumentValues values, Terminal terminal)
    {
        var output = values.Create<OutputArguments>().Apply(terminal);
        var what = values.Create<SuspectsArguments>();
        if (values.Texts is not [var folder]) throw new UsageException("attune suspects takes the folder of one cross-validation, such as attune suspects trainer_output.");
        if (what.Most < 1) throw new UsageException($"most is {what.Most}; it must be at least 1.");
        var file = what.OutputFile ?? Path.Combine(folder, LabelSuspects.FileName);
        if (Directory.Exists(folder)) AtomicFile.RequireWritable(file);
        var suspects = LabelSuspects.Of(folder, what.Most, terminal);
        suspects.Write(file);
        if (output.Json) terminal.Result(PythonJson.Write(AsJson(suspects), ensureAscii: false));
        else if (suspects.Ranked.Count > 0) terminal.Result(Table(suspects));
        terminal.Tell(string.Create(CultureInfo.InvariantCulture,
            $"Of {suspects.Texts:N0} labels at most some {suspects.Estimated:N0} may be wrong, by what the folds say; the {suspects.Ranked.Count:N0} most suspicious are in {file}."));
        return ExitCode.Success;
    }

    private static string Table(LabelSuspects suspects)
    {
        var table = new TextTable("row", "score", "label", "suggested", "text");
        foreach (var suspect in suspects.Ranked.Take(MostShown))
            table.Add(suspect.Place.Row.ToString(CultureInfo.InvariantCulture), suspect.Score.ToString("0.0000", CultureInfo.InvariantCulture), Shown.Of(suspect.Label), Shown.Of(suspect.Suggested), Shown.Of(ShortText.Of(suspect.Text.ReplaceLineEndings(" "), Widest)));
        return table.ToString();
    }

    private static JsonObject AsJson(LabelSuspects suspects) => new()
    {
        ["texts"] = suspects.Texts,
        ["estimated_errors"] = suspects.Estimated,
        ["suspects"] = new JsonArray([.. suspects.Ranked.Select(suspect => new JsonObject
        {
            ["file"] = suspect.Place.File,
            ["row"] = suspect.Place.Row,
            ["text"] = suspect.Text,
            ["text_pair"] = suspect.Pair,
            ["label"] = suspect.Label,
            ["suggested_label"] = suspect.Suggested,
            ["score"] = suspect.Score,
            ["is_confident"] = suspect.IsConfident,
        })]),
    };
}
