using System.Globalization;
using System.Text;
using Attune.Checkpoints;
using Attune.Cli.Experiments;
using Attune.Datasets;
using Attune.Formats;
using Attune.Metrics;

namespace Attune.Cli;

/// <summary>A text whose label may be wrong.</summary>
/// <param name="Place">Where it stands in the data.</param>
/// <param name="Text">The text.</param>
/// <param name="Pair">The second text of a pair; else null.</param>
/// <param name="Label">The label that it has.</param>
/// <param name="Suggested">The one that it more likely has.</param>
/// <param name="Score">0 to 1, the lower the more suspicious.</param>
/// <param name="IsConfident">Whether confident learning counts it as of another class.</param>
internal sealed record LabelSuspect(RowPlace Place, string Text, string? Pair, string Label, string Suggested, double Score, bool IsConfident);

/// <summary>The labels of a cross-validation's training texts that are likely wrong, the most suspicious first.</summary>
/// <param name="Texts">How many texts were judged.</param>
/// <param name="Estimated">How many labels confident learning counts as wrong; too many where the models are weak.</param>
/// <param name="Ranked">The most suspicious of them.</param>
internal sealed record LabelSuspects(int Texts, int Estimated, IReadOnlyList<LabelSuspect> Ranked)
{
    /// <summary>Name of the file in the folder of the experiment.</summary>
    internal const string FileName = "suspects.csv";

    /// <summary>Finds them in the folder of a cross-validation, with the texts from the data that it was trained on.</summary>
    /// <param name="folder">Of attune train --folds.</param>
    /// <param name="most">How many; null for as many as are estimated.</param>
    /// <param name="terminal">Takes the lines that say what was read.</param>
    /// <exception cref="AttuneException">It is no such folder, or its data is gone or another now.</exception>
    internal static LabelSuspects Of(string folder, int? most, Terminal terminal)
    {
        var folds = OutOfFoldPredictions.Read(folder);
        var errors = LabelErrors.Of(folds.Prediction);
        var (rows, places) = TrainingTexts(FinishedRun.Folders(folder).First(), folds.Classes, terminal);
        return new LabelSuspects(folds.Prediction.Rows, errors.EstimatedErrors, [.. errors.Ranked.Take(most ?? errors.EstimatedErrors).Select(suspect =>
        {
            var row = folds.Rows![suspect.Row];
            if (row >= rows.Count || rows.Classes?[row] != suspect.Label)
                throw new AttuneException($"The training texts are no longer those that {folder} was trained on (text {row + 1} has another label); train it anew.");
            return new LabelSuspect(places(rows.RowNumbers[row]), rows.Texts[row], rows.Pairs?[row], folds.Classes[suspect.Label], folds.Classes[suspect.Suggested],
                suspect.Score, suspect.IsConfident);
        })]);
    }

    /// <summary>Writes them as a table.</summary>
    /// <exception cref="AttuneException">The file cannot be written.</exception>
    internal void Write(string file)
    {
        var hasPairs = Ranked.Any(suspect => suspect.Pair is not null);
        var text = new StringBuilder();
        Line(["file", "row", "text", .. hasPairs ? ["text_pair"] : (string[])[], "label", "suggested_label", "score", "is_confident"]);
        foreach (var suspect in Ranked)
            Line([suspect.Place.File ?? "", suspect.Place.Row.ToString(CultureInfo.InvariantCulture), suspect.Text, .. hasPairs ? [suspect.Pair ?? ""] : (string[])[],
                suspect.Label, suspect.Suggested, suspect.Score.ToString("0.######", CultureInfo.InvariantCulture), suspect.IsConfident ? "true" : "false"]);
        AtomicFile.WriteText(file, text.ToString());

        void Line(IEnumerable<string> cells) => text.AppendJoin(',', cells.Select(CsvCell.Of)).Append('\n');
    }

    /// <summary>The training texts as the run took them, and where each stands.</summary>
    private static (ClassificationRows Rows, Func<int, RowPlace> PlaceOf) TrainingTexts(string run, IReadOnlyList<string> classes, Terminal terminal)
    {
        if (RunConfig.Data(run) is not { } data)
            throw new AttuneException($"{run} does not say what it was trained on ({CheckpointFiles.Arguments} is missing); train it anew.");
        var source = DataSource.Load(data, classes, mustFit: true, outputDir: null, terminal);
        var chosen = source.Chosen(DatasetDict.Train, data.MaxTrainSamples);
        return (source.Rows(DatasetDict.Train, data.MaxTrainSamples)!, chosen.PlaceOf);
    }
}
