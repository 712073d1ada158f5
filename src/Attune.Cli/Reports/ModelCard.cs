using System.Globalization;
using System.Text;
using Attune.Checkpoints;
using Attune.Cli.Experiments;
using Attune.Cli.Pages;
using Attune.Formats;
using Attune.Inference;
using Attune.Metrics;

namespace Attune.Cli.Reports;

/// <summary>README.md of a trained model, with the head that the Hugging Face hub reads: made at the end of training, and again by <c>attune report</c>.</summary>
internal static class ModelCard
{
    // Whoever edits the card takes this line out, and keeps the card.
    private const string Mark = "<!-- Made by Attune, and made anew by attune report as long as this line is here. -->";
    private const int Resamples = 1000, MostClasses = 50;
    private const long Seed = 42;

    /// <summary>The file.</summary>
    internal static string FileOf(string folder) => Path.Combine(folder, "README.md");

    /// <summary>Writes the card, unless there is one that people have made their own, or one that tells more than the folder does now.</summary>
    /// <param name="run">What it tells.</param>
    /// <param name="isNew">Whether what is there is of an earlier run, and goes in any case.</param>
    /// <returns>Null where it is written; else why the one that is there stays.</returns>
    /// <exception cref="AttuneException">It cannot be written.</exception>
    internal static string? Write(RunFacts run, bool isNew = false)
    {
        var file = FileOf(run.Folder);
        if (!isNew && File.Exists(file))
        {
            if (!File.ReadAllText(file).Contains(Mark, StringComparison.Ordinal)) return "it was changed by hand";
            if (run.Record is null) return $"without {RunRecord.FileName}, which the folder lacks, it would say less";
            if (run.Predictions is null && run.Record.Data.Split(DataRecord.Evaluation) is not null) return $"without {CheckpointFiles.EvalPredictions}, which the folder lacks, it would say less";
        }
        AtomicFile.WriteText(file, Text(run));
        return null;
    }

    private static string Text(RunFacts run)
    {
        var (figures, tested) = (MetricFigure.Of(run, Resamples, Seed), MetricFigure.OfTest(run, Resamples, Seed));
        var calibration = run.Rows is { Rows: > 0, Task: not TaskKind.Regression } rows ? CalibrationFigures.Of(rows, run.Settings.Temperature) : null;
        var text = new StringBuilder(CardHead.Of(run, figures, tested)).Append('\n').Append(Mark).Append("\n\n");
        text.Append(CultureInfo.InvariantCulture, $"# {run.Name}\n\n{Sentence(run)}\n");
        Usage(text, run);
        Data(text, run);
        Results(text, run, figures, calibration);
        Tested(text, tested);
        Classes(text, run);
        Limits(text, run, figures, calibration);
        Training(text, run);
        return text.ToString();
    }

    private static string Sentence(RunFacts run)
    {
        var trained = run.Record is { } record
            ? $"{record.Model.Described}, trained by Attune {record.Machine.FirstOrDefault(fact => fact.Name == "attune").Value ?? AttuneVersion.Text} from {CardNames.Model(record.Model)} on {CardNames.Data(run)}."
            : "A text classifier, trained by Attune.";
        return trained + (run.Classes.Count > 0 ? $"\nIts outputs: {string.Join(", ", run.Classes)}." : run.Predictions is not null ? "\nIts output is a number." : "");
    }

    private static void Usage(StringBuilder text, RunFacts run)
    {
        var isPair = run.Record?.Data.TextColumns.Count == 2;
        text.Append(CultureInfo.InvariantCulture, $"""

            ## How to use it

            ```
            attune predict --model {run.Name} {(isPair ? "--pairs < pairs.tsv" : "\"a text\"")}
            ```

            """);
        if (run.Record?.Model.IsAdapter != true && !isPair)
            text.Append(CultureInfo.InvariantCulture, $"""

                In Python: `pipeline("text-classification", model="{run.Name}")` of transformers.

                """);
    }

    private static void Data(StringBuilder text, RunFacts run)
    {
        if (run.Record?.Data is not { } data) return;
        text.Append(CultureInfo.InvariantCulture, $"\n## Data\n\n{CardNames.Data(run)}{(data.Commit is { } commit ? $" at commit {commit}" : "")}; task: {data.Task.Replace('_', ' ')}.\n\n")
            .Append("| rows | texts | mean tokens | SHA-256 of tokens and labels |\n|---|---|---|---|\n");
        foreach (var split in data.Splits)
            text.Append(CultureInfo.InvariantCulture, $"| {split.Name} | {split.Texts} | {Figures.Number(split.MeanTokens)} | {split.Sha256} |\n");
        if (data.Split(DataRecord.Train) is not { } train) return;
        if (train.Numbers is { } numbers)
            text.Append(CultureInfo.InvariantCulture, $"\nThe numbers to predict lie from {Figures.Number(numbers.Low)} to {Figures.Number(numbers.High)}, their mean is {Figures.Number(numbers.Mean)}.\n");
        if (train.Labels.Count == 0) return;
        text.Append("\n| label | training texts | share |\n|---|---|---|\n");
        foreach (var (label, count) in train.Labels.OrderByDescending(one => one.Texts).Take(MostClasses))
            text.Append(CultureInfo.InvariantCulture, $"| {Cell(label)} | {count} | {Figures.Percent((double)count / Math.Max(1, train.Texts))} |\n");
        if (train.Labels.Count > MostClasses) text.Append(CultureInfo.InvariantCulture, $"\nThese are the {MostClasses} most frequent of {train.Labels.Count} labels.\n");
    }

    /// <summary>The evaluations during training, and how far their results may be off.</summary>
    private static void Results(StringBuilder text, RunFacts run, IReadOnlyList<MetricFigure> figures, CalibrationFigures? calibration)
    {
        var part = new StringBuilder();
        Evaluations(part, run.Run);
        if (figures.Any(figure => figure.Interval is not null || figure.Baseline is not null))
        {
            part.Append("\n| metric | value | 95% interval | without reading a text |\n|---|---|---|---|\n");
            foreach (var figure in figures)
                part.Append($"| {figure.Name} | {Figures.Score(figure.Value)} | {figure.SaidInterval} | {(figure.Baseline is { } constant ? Figures.Score(constant) : "")} |\n");
        }
        if (figures.FirstOrDefault(figure => figure.Name == "log_loss" + AnswerCalibration.AtTemperature) is { } scaled)
            part.Append(calibration is not null && Math.Abs(calibration.Now.LogLoss - scaled.Value) < 1e-3
                ? $"\nWhat ends in {AnswerCalibration.AtTemperature} is at the temperature of {Figures.Score(run.Settings.Temperature)} in {PredictionSettings.FileName}.\n"
                : $"\nWhat ends in {AnswerCalibration.AtTemperature} is at the temperature of that evaluation; {PredictionSettings.FileName} has {Figures.Score(run.Settings.Temperature)} now.\n");
        if (part.Length > 0) text.Append("\n## Results\n").Append(part);
    }

    /// <summary>The last one is that of the model in this folder.</summary>
    private static void Evaluations(StringBuilder text, FinishedRun run)
    {
        var entries = run.Log.Where(entry => entry.ContainsKey("eval_loss") && entry.ContainsKey("step") && entry.ContainsKey("epoch")).ToList();
        if (entries is not [.. var during, var last]) return;
        var keys = last.Keys.Where(key => key.StartsWith("eval_", StringComparison.Ordinal) && Experiment.IsResult(key)).OrderBy(key => key != "eval_loss").ToList();
        text.Append(CultureInfo.InvariantCulture, $"\n| epoch | step | {string.Join(" | ", keys)} |\n|---|---|{string.Concat(keys.Select(_ => "---|"))}\n");
        foreach (var entry in during)
            Row(entry["epoch"].ToString("0.##", CultureInfo.InvariantCulture), entry["step"].ToString("0", CultureInfo.InvariantCulture), entry);
        var best = (bool?)run.Arguments["load_best_model_at_end"] == true ? run.BestStep : null;
        Row("this model", (best ?? last["step"]).ToString("0", CultureInfo.InvariantCulture), last);

        void Row(string epoch, string step, IReadOnlyDictionary<string, double> entry) =>
            text.Append($"| {epoch} | {step} | {string.Join(" | ", keys.Select(key => entry.TryGetValue(key, out var value) ? Figures.Score(value) : ""))} |\n");
    }

    private static void Tested(StringBuilder text, IReadOnlyList<MetricFigure> figures)
    {
        if (figures.Count > 0) text.Append("\n## Results on the test split\n\n| metric | value | 95% interval |\n|---|---|---|\n");
        foreach (var figure in figures.OrderBy(figure => figure.Name != "loss")) text.Append($"| {figure.Name} | {Figures.Score(figure.Value)} | {figure.SaidInterval} |\n");
    }

    private static void Classes(StringBuilder text, RunFacts run)
    {
        if (run.Rows is not { Rows: > 0, Task: not TaskKind.Regression } measured) return;
        var classes = ClassFigure.Of(measured, run.Classes, Resamples, Seed);
        text.Append("\n## Results by class\n\n| class | rows | precision | recall | F1 | 95% interval of F1 |\n|---|---|---|---|---|---|\n");
        foreach (var one in classes.Count > MostClasses ? classes.OrderBy(one => one.Scores.F1).Take(MostClasses) : classes)
            text.Append($"| {Cell(one.Name)} | {one.Rows} | {Figures.Score(one.Scores.Precision)} | {Figures.Score(one.Scores.Recall)} | {Figures.Score(one.Scores.F1)} | {one.SaidF1} |\n");
        if (classes.Count > MostClasses) text.Append(CultureInfo.InvariantCulture, $"\nThese are the {MostClasses} classes with the lowest F1, of {classes.Count}.\n");
    }

    private static void Limits(StringBuilder text, RunFacts run, IReadOnlyList<MetricFigure> figures, CalibrationFigures? calibration)
    {
        text.Append("\n## Limits\n\n- It was measured on rows of the same data as it was trained on, and on nothing else: other texts, other languages and other times may do worse.\n");
        if (run.Record is { } record)
            text.Append(CultureInfo.InvariantCulture, $"- It reads {record.Model.MaxLength} tokens at a time; the longest training row has {record.Data.Split(DataRecord.Train)?.LongestTokens}.\n");
        if (figures.FirstOrDefault(figure => figure.Baseline is not null) is { Baseline: { } constant } first)
            text.Append($"- Without reading a text {first.Name} would be {Figures.Score(constant)}; the model reaches {Figures.Score(first.Value)}.\n");
        if (run.Rows is not { } rows || calibration is null) return;
        if (rows.Task == TaskKind.SingleLabel && new ConfusionMatrix(rows.ClassLabels, rows.Predictions, rows.Columns).WorstPairs(3) is [_, ..] pairs)
            text.Append("- Taken for another class most often: ").AppendJoin("; ", pairs.Select(pair => $"{run.Classes[pair.Label]} for {run.Classes[pair.Prediction]} ({pair.Rows} rows, {Figures.Percent(pair.Share)} of the class)")).Append(".\n");
        text.Append($"- Calibration: {Calibrated(calibration)}\n");
    }

    /// <summary>How far the confidence is off: of a folder with a temperature with it, as Attune answers, and without, as other programs read the model.</summary>
    private static string Calibrated(CalibrationFigures figures)
    {
        var other = figures.OnOthers is { } onOthers ? Figures.Score(onOthers.ExpectedCalibrationError) : null;
        const string means = "on the mean of the evaluation rows (expected calibration error)";
        var (plain, now) = (Figures.Score(figures.Plain.ExpectedCalibrationError), Figures.Score(figures.Now.ExpectedCalibrationError));
        if (!figures.IsScaled)
            return $"its confidence is off by {plain} {means}.{(other is null ? "" : $" A temperature that was fitted on other rows makes it {other}; attune evaluate --calibrate keeps one.")}";
        return $"with the temperature of {Figures.Score(figures.Temperature)} in {PredictionSettings.FileName}, which Attune follows, its confidence is off by {now} {means}, without it by {plain}." +
            (figures.IsOfTheseRows && other is not null ? $" The temperature was fitted on these rows; one that was fitted on others makes it {other}." : "");
    }

    private static void Training(StringBuilder text, RunFacts run)
    {
        text.Append("\n## Training\n\n| argument | value |\n|---|---|\n");
        foreach (var name in RunSection.Chosen(run.Run).Where(name => name is not "logging_dir" and not "run_name"))
            text.Append($"| {name} | {Cell(CardNames.Argument(run, name))} |\n");
        if (run.Record is not { } record) return;
        text.Append("\n| trained with | |\n|---|---|\n");
        foreach (var (name, value) in record.Machine) text.Append($"| {name} | {Cell(value)} |\n");
    }

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal).ReplaceLineEndings(" ");
}
