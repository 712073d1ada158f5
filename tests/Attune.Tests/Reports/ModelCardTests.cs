using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Attune.Checkpoints;
using Attune.Cli;
using Attune.Cli.Pages;
using Attune.Cli.Reports;
using Attune.Inference;
using Attune.Metrics;
using Attune.Tests.Cli;
using Attune.Tests.Datasets;

namespace Attune.Tests.Reports;

public sealed class ModelCardTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("one")]
    [InlineData("several")]
    [InlineData("numbers")]
    public void Write_EachKindOfTask_IsFilled(string kind)
    {
        var folder = Path.Combine(_folder.Path, kind);
        _ = kind switch { "one" => MadeRun.OneLabel(folder), "several" => MadeRun.SeveralLabels(folder), _ => MadeRun.Numbers(folder) };
        Assert.Null(ModelCard.Write(RunFacts.Read(folder)));
        var card = File.ReadAllText(ModelCard.FileOf(folder));
        Assert.StartsWith("---\nlibrary_name: transformers\npipeline_tag: text-classification\n", card, StringComparison.Ordinal);
        foreach (var part in new[] { "model-index:", "## How to use it", "## Data", "## Results", "## Limits", "## Training", "An albert text classifier (2 layers of 128, 1,234 weights), trained by", new string('b', 64), "9.9.9", "train.csv, dev.csv" })
            Assert.Contains(part, card, StringComparison.Ordinal);
        Assert.DoesNotContain("/somewhere/else", card, StringComparison.Ordinal);
        Assert.DoesNotContain("More Information Needed", card, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotMatch("(?i)\\bnan\\b", card);
        Assert.Single(Regex.Matches(card, "(?m)^## Results$"));
        Assert.Equal(kind != "numbers", card.Contains("## Results by class", StringComparison.Ordinal));
    }

    [Fact]
    public void Write_AgainAfterReading_IsTheSame()
    {
        var folder = MadeRun.OneLabel(Path.Combine(_folder.Path, "run"));
        Assert.Null(ModelCard.Write(RunFacts.Read(folder)));
        var first = File.ReadAllText(ModelCard.FileOf(folder));
        Assert.Null(ModelCard.Write(RunFacts.Read(folder)));
        Assert.Equal(first, File.ReadAllText(ModelCard.FileOf(folder)));
    }

    [Fact]
    public void Write_CardOfAPerson_Stays()
    {
        var folder = MadeRun.OneLabel(Path.Combine(_folder.Path, "run"));
        File.WriteAllText(ModelCard.FileOf(folder), "mine");
        Assert.Equal("it was changed by hand", ModelCard.Write(RunFacts.Read(folder)));
        Assert.Equal("mine", File.ReadAllText(ModelCard.FileOf(folder)));
        Assert.Null(ModelCard.Write(RunFacts.Read(folder), isNew: true));
    }

    [Fact]
    public void Write_WhatTheFolderHasLost_KeepsTheFullCard()
    {
        var folder = MadeRun.OneLabel(Path.Combine(_folder.Path, "run"));
        Assert.Null(ModelCard.Write(RunFacts.Read(folder)));
        var full = File.ReadAllText(ModelCard.FileOf(folder));
        foreach (var file in new[] { CheckpointFiles.EvalPredictions, RunRecord.FileName })
        {
            File.Delete(Path.Combine(folder, file));
            var terminal = new RecordingTerminal();
            Assert.Equal(ExitCode.Success, terminal.Run("report", folder));
            Assert.Contains($"The model card {ModelCard.FileOf(folder)} stays as it is: without {file}, which the folder lacks, it would say less.", terminal.Told);
            Assert.Equal(full, File.ReadAllText(ModelCard.FileOf(folder)));
        }
        File.Delete(ModelCard.FileOf(folder));
        Assert.Null(ModelCard.Write(RunFacts.Read(folder)));                 // a thin one is better than none
    }

    [Fact]
    public void Write_FoldersOfThisMachine_AreNotNamed()
    {
        var folder = MadeRun.OneLabel(Path.Combine(_folder.Path, "run"));
        MadeRun.Change(folder, ("train_file", "/secret/a, b/train.csv"), ("validation_file", "../secret/dev.csv"), ("model", "../secret/trained/"), ("class_weights", "secret/weights.json"),
            ("logging_dir", "../secret"), ("metrics", new JsonArray("accuracy", "f1")), ("text_column_names", new JsonArray("../secret/x", "text, all of it")));
        var record = RunRecord.Read(folder)!;
        (record with { Model = record.Model with { From = "../secret/trained/" }, Data = record.Data with { Name = "/secret/a, b/train.csv, ../secret/dev.csv" } }).Write(folder);
        var card = Card(folder);
        Assert.DoesNotContain("secret", card, StringComparison.Ordinal);
        Assert.DoesNotContain("..", card, StringComparison.Ordinal);
        Assert.Contains("from trained on train.csv, dev.csv.", card, StringComparison.Ordinal);
        foreach (var line in new[] { "| train_file | train.csv |", "| model | trained |", "| class_weights | weights.json |", "| text_column_names | [\"x\", \"text, all of it\"] |" }) Assert.Contains(line, card, StringComparison.Ordinal);
        Assert.DoesNotContain("base_model", card, StringComparison.Ordinal);
        Assert.Contains("type: \"local\"", card, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_NamesOfTheHub_AreWhole()
    {
        var folder = MadeRun.OneLabel(Path.Combine(_folder.Path, "run"));
        MadeRun.Change(folder, ("train_file", null), ("validation_file", null), ("model", "google/bert"), ("dataset", "nyu-mll/glue"));
        var record = RunRecord.Read(folder)!;
        record = record with { Model = record.Model with { From = "google/bert", Commit = "abc" }, Data = record.Data with { Name = "nyu-mll/glue", Commit = "def" } };
        record.Write(folder);
        var card = Card(folder);
        foreach (var line in new[] { "base_model: google/bert\n", "datasets:\n- \"nyu-mll/glue\"\n", "from google/bert on nyu-mll/glue.", "| model | google/bert |", "type: \"nyu-mll/glue\"" }) Assert.Contains(line, card, StringComparison.Ordinal);
        (record with { Model = record.Model with { IsAdapter = true, AdapterOf = "/secret/base", Commit = null }, Data = record.Data with { Name = "../data/reviews", Commit = null, Files = [] } }).Write(folder);
        card = Card(folder);
        Assert.DoesNotContain("base_model", card, StringComparison.Ordinal);
        Assert.DoesNotContain("../data", card, StringComparison.Ordinal);
        Assert.Contains("library_name: peft", card, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_Calibration_SaysWhichTemperatureTheFolderHasAndWhatOtherRowsGive()
    {
        var folder = MadeRun.OneLabel(Path.Combine(_folder.Path, "run"));
        var rows = RunPredictions.Read(folder)!.Prediction;
        var plain = Figures.Score(TemperatureScaling.Quality(rows, 1).ExpectedCalibrationError);
        var other = Figures.Score(TemperatureScaling.Quality(CalibrationFigures.Of(rows, 1).CrossFitted!, 1).ExpectedCalibrationError);
        Assert.Contains($"- Calibration: its confidence is off by {plain} on the mean of the evaluation rows (expected calibration error). A temperature that was fitted on other rows makes it {other};", Card(folder), StringComparison.Ordinal);
        new PredictionSettings { Temperature = 2.5 }.Save(folder);
        MadeRun.Change(folder, CheckpointFiles.AllResults, ("eval_log_loss_at_temperature", TemperatureScaling.Quality(rows, 2.5).LogLoss));
        var now = Figures.Score(TemperatureScaling.Quality(rows, 2.5).ExpectedCalibrationError);
        var card = Card(folder);
        Assert.Contains($"- Calibration: with the temperature of 2.5000 in attune_prediction.json, which Attune follows, its confidence is off by {now} on the mean of the evaluation rows (expected calibration error), without it by {plain}.\n", card, StringComparison.Ordinal);
        Assert.Contains("What ends in _at_temperature is at the temperature of 2.5000 in attune_prediction.json.", card, StringComparison.Ordinal);
        var fit = TemperatureScaling.Fit(rows).Temperature;
        new PredictionSettings { Temperature = fit }.Save(folder);
        card = Card(folder);
        Assert.Contains($" The temperature was fitted on these rows; one that was fitted on others makes it {other}.", card, StringComparison.Ordinal);
        Assert.Contains($"What ends in _at_temperature is at the temperature of that evaluation; attune_prediction.json has {Figures.Score(fit)} now.", card, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_ResultsThatAreNoNumbersAndClassesWithoutRows_AreLeftOutOrDashes()
    {
        var folder = MadeRun.OneLabel(Path.Combine(_folder.Path, "run"));
        var rows = RunPredictions.Read(folder)!.Prediction;
        float[] logits = [.. Enumerable.Range(0, rows.Rows).SelectMany(row => new[] { rows.Logits[2 * row], rows.Logits[2 * row + 1], -90 })];
        RunPredictions.Write(folder, new EvalPrediction(logits, rows.Rows, 3, rows.Labels), [.. MadeRun.Classes, "none"], isWanted: true);
        File.WriteAllText(Path.Combine(folder, CheckpointFiles.AllResults), """{"eval_accuracy": 0.8, "eval_matthews_correlation": NaN}""");
        var card = Card(folder);
        Assert.Contains("| none | 0 | 0.0000 | 0.0000 | 0.0000 | \u2013 |", card, StringComparison.Ordinal);
        Assert.Contains("- type: accuracy\n", card, StringComparison.Ordinal);
        Assert.DoesNotContain("- type: matthews_correlation\n", card, StringComparison.Ordinal);
        Assert.DoesNotMatch("(?i)\\bnan\\b", card);
    }

    private static string Card(string folder)
    {
        Assert.Null(ModelCard.Write(RunFacts.Read(folder)));
        return File.ReadAllText(ModelCard.FileOf(folder));
    }

    [Fact]
    public void Record_WrittenAndRead_IsTheSame()
    {
        var folder = MadeRun.Numbers(Path.Combine(_folder.Path, "run"));
        var record = RunRecord.Read(folder)!;
        record.Write(_folder.Path);
        Assert.Equal(File.ReadAllText(Path.Combine(folder, RunRecord.FileName)), File.ReadAllText(Path.Combine(_folder.Path, RunRecord.FileName)));
        Assert.Equal((3.2, 0.25, 6.15), record.Data.Split("train")!.Numbers);
        File.WriteAllText(Path.Combine(folder, RunRecord.FileName), "{\"machine\": 3}");
        Assert.Contains("is no record of a run", Assert.Throws<AttuneException>(() => RunRecord.Read(folder)).Message, StringComparison.Ordinal);
    }
}
