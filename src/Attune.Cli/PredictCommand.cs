using System.Globalization;
using Attune.Inference;
using Attune.Models;
using Attune.Training;

namespace Attune.Cli;

/// <summary><c>attune predict</c>: labels and probabilities for texts.</summary>
internal static class PredictCommand
{
    /// <summary>Texts read, computed and written at a time: enough to put texts of like length together.</summary>
    private const int BlockSize = 512;

    internal static Verb Verb { get; } = new(
        "predict", "Predicts texts: from the command line, from standard input (one a line) or from a file.",
        ("TEXT", "A text; without any, lines of standard input."),
        [
            new("Texts and answers", ArgumentTable.Of<PredictArguments>()), new("Model", ArgumentTable.Of<ModelArguments>()),
            new("Output", ArgumentTable.Of<OutputArguments>()),
        ], Run)
    {
        Examples =
        [
            "attune predict \"A film to fall in love with.\"", "attune predict --model FOLDER --output-format csv < texts.txt",
            "attune predict --file texts.csv --text-column-names review --output-file answers.jsonl --output-format jsonl",
        ],
    };

    private static int Run(ArgumentValues values, Terminal terminal)
    {
        var output = values.Create<OutputArguments>().Apply(terminal);
        var (what, from) = (values.Create<PredictArguments>(), values.Create<ModelArguments>());
        if (what.BatchSize < 1) throw new UsageException($"batch_size is {what.BatchSize}; it must be at least 1.");
        UsageException.Check(() => ThresholdChoice.Parse(what.Threshold));
        if (what.File is not null && values.Texts.Count > 0) throw new UsageException("Give either texts or --file, not both.");
        if (output.Json && what.OutputFormat is not (null or OutputFormat.Json))
            throw new UsageException("--json and --output-format contradict each other; leave one out.");
        var folder = ModelFolder.Find(from.Model ?? Names.LastRun, from.ModelRevision, terminal);
        if (what.File is null || File.Exists(what.File)) Compute.Begin();
        var texts = what.File is { } file ? TextInputs.OfFile(file, what, terminal.Tell)
            : values.Texts.Count > 0 ? TextInputs.OfWords(values.Texts, what.Pairs) : TextInputs.OfLines(terminal, what.Pairs, orFile: true);

        Compute.Start(from);
        using var classifier = Load(what, from, folder);
        if (output.Verbose)
            terminal.Tell(RunNotes.Of(folder.Path, classifier));
        if (RunNotes.Shortened(from, classifier.MaxLength) is { } shortened) terminal.Tell(shortened);
        using var answers = new AnswerWriter(output.Json ? what with { OutputFormat = OutputFormat.Json } : what, classifier, terminal);
        // A person at the keyboard gets each answer at once.
        var isTyped = what.File is null && values.Texts.Count == 0 && terminal.IsKeyboard;
        if (isTyped) terminal.Tell("Type a text and press Enter; Ctrl+D ends.");
        var (rows, cut) = (0, 0);
        foreach (var block in texts.Chunk(isTyped ? 1 : BlockSize))
        {
            var words = block.Select(input => input.Text).ToList();
            var pairs = block[0].Pair is null ? null : block.Select(input => input.Pair!).ToList();
            answers.Write(block, classifier.Predict(words, pairs, out var cutHere));
            (rows, cut) = (rows + block.Length, cut + cutHere);
        }
        answers.Finish();
        var become = classifier.Settings.LongTexts == LongTexts.Windows ? "read in windows of" : "cut at";
        if (cut > 0) terminal.Tell(string.Create(CultureInfo.InvariantCulture,
            $"{cut:N0} of {rows:N0} {(rows == 1 ? "text" : "texts")} {(cut == 1 ? "was" : "were")} {become} {classifier.MaxLength} tokens."));
        return ExitCode.Success;
    }

    private static Classifier Load(PredictArguments what, ModelArguments from, ModelFolder folder)
    {
        var settings = Settings(what, from, folder.Path);
        var engine = TorchEngine.Load(folder.Path, folder.Base);
        if (what.Bf16) engine.Model.Precision = Precision.BFloat16;
        return new Classifier(engine, from.Options(settings) with { BatchSize = what.BatchSize });
    }

    /// <summary>Those of the model's folder, with what is asked for in their place.</summary>
    private static PredictionSettings Settings(PredictArguments what, ModelArguments from, string folder)
    {
        var settings = from.Settings(PredictionSettings.Load(folder));
        return ThresholdChoice.Parse(what.Threshold) switch
        {
            null => settings,
            { Number: { } number } => settings with { Thresholds = new Dictionary<string, double>(), Threshold = number },
            _ when !settings.HasUsualThresholds => settings,
            _ => throw new AttuneException(
                $"{folder} has no thresholds ({PredictionSettings.FileName}); choose them by attune train --threshold auto or attune evaluate --threshold auto --save-thresholds."),
        };
    }
}
