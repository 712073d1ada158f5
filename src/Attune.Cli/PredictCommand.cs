using System.Globalization;
using Attune.Cli.Answers;
using Attune.Distributed;
using Attune.Formats;
using Attune.Inference;
using Attune.Models;
using Attune.Training;

namespace Attune.Cli;

/// <summary><c>attune predict</c>: labels and probabilities for texts.</summary>
internal static class PredictCommand
{
    internal static Verb Verb { get; } = new(
        "predict", "Predicts texts: from the command line, from standard input (one a line) or from a file of any size. Goes on where it was stopped.",
        ("TEXT", "A text; without any, lines of standard input."),
        [
            new("Texts and answers", ArgumentTable.Of<PredictArguments>()), new("Model", ArgumentTable.Of<ModelArguments>()), new("Device", ArgumentTable.Of<DeviceArguments>()),
            new("Output", ArgumentTable.Of<OutputArguments>()),
        ], Run)
    {
        IsForSeveral = true,
        Examples =
        [
            "attune predict \"A film to fall in love with.\"", "attune predict --model FOLDER --output-format csv < texts.txt",
            "attune predict --file texts.csv --text-column-names review --output-file answers.jsonl",
            "attune predict --file texts.parquet --keep-columns id date --top-k 3 --abstain-below 0.7 --output-file answers.parquet",
        ],
    };

    private static int Run(ArgumentValues values, Terminal terminal)
    {
        var output = values.Create<OutputArguments>().Apply(terminal);
        var (what, from) = (values.Create<PredictArguments>(), values.Create<ModelArguments>());
        var device = values.Create<DeviceArguments>().Device;
        Compute.Check(device, from.Threads);
        Check(what, hasTexts: values.Texts.Count > 0);
        if (output.Json && what.OutputFormat is not (null or OutputFormat.Json))
            throw new UsageException("--json and --output-format contradict each other; leave one out.");
        if (output.Json) what = what with { OutputFormat = OutputFormat.Json };
        if (what.Form == OutputFormat.Parquet && what.OutputFile is null) throw new UsageException("--output-format parquet needs --output-file.");
        var processes = ProcessGroup.Join();
        if (what.OutputFile is { } path && processes.IsFirst) AnswerFile.RequireWritable(path);
        var folder = ProcessGroup.InTurn(() => ModelFolder.Find(from.Model ?? Names.LastRun, from.ModelRevision, terminal));
        what = what with { Engine = ClassifierEngines.For(folder.Path, what.Engine) };
        if (what.PrecisionOption is { } precision && what.Engine == EngineChoice.Onnx)
            throw new UsageException($"{precision} is for --engine torch, and what runs {folder.Path} here is ONNX Runtime; leave {precision} out.");
        if (!processes.IsFirst) return Follow(what, from, folder, device, processes, terminal);
        if (what.Engine == EngineChoice.Torch && (what.File is null || File.Exists(what.File))) Compute.Begin();
        var inputs = what.File is { } file ? TextInputs.OfFile(file, what, terminal.Tell)
            : new InputTexts(values.Texts.Count > 0 ? TextInputs.OfWords(values.Texts, what.Pairs) : TextInputs.OfLines(terminal, what.Pairs, orFile: true), what.Pairs);

        using var classifier = Load(what, from, folder, device, processes, terminal.Tell);
        if (output.Verbose)
            terminal.Tell(RunNotes.Of(folder.Path, classifier));
        if (RunNotes.Shortened(from, classifier.MaxLength) is { } shortened) terminal.Tell(shortened);
        var rules = Rules(what, classifier);
        var isOfWords = what.File is null && values.Texts.Count > 0;
        // A person at the keyboard gets each answer at once.
        var isTyped = what.File is null && !isOfWords && terminal.IsKeyboard;
        if (isTyped) terminal.Tell("Type a text and press Enter; Ctrl+D ends.");
        var columns = new AnswerColumns(inputs, rules);
        using var answers = what.OutputFile is null ? null
            : AnswerFile.Open(what.OutputFile, isOfWords || isTyped ? null : AnswerOrigin.Of(what, from, what.Form, inputs, folder), what.Resume, TimeProvider.System);
        if (answers?.Saved is { } saved) terminal.Tell(string.Create(CultureInfo.InvariantCulture,
            $"Goes on after row {saved.Rows:N0}, from {answers.Partial}."));
        using var run = new PredictRun(classifier, inputs, answers, processes.Size > 1 ? new SharedTexts(processes) : null);
        var blockRows = isTyped ? 1 : classifier.Engine is TorchEngine ? PredictRun.BlockRows : PredictRun.PaddedBlockRows;
        var progress = isTyped || answers is null && terminal.IsOutShown ? null : new PredictProgress(terminal, TimeProvider.System, inputs.Share);
        Answer(run, blockRows, answers, columns, what, progress, terminal);

        var become = classifier.Settings.LongTexts == LongTexts.Windows ? "read in windows of" : "cut at";
        if (run.TextsCut > 0) terminal.Tell($"{OfAll(run.TextsCut, run.Rows)} {become} {classifier.MaxLength} tokens.");
        if (run.Abstained > 0) terminal.Tell(string.Create(CultureInfo.InvariantCulture,
            $"{OfAll(run.Abstained, run.Rows)} given no label: the model is less sure than {classifier.Settings.AbstainBelow:0.####}."));
        return ExitCode.Success;
    }

    /// <summary>Computes its part of what the first process reads and writes.</summary>
    private static int Follow(PredictArguments what, ModelArguments from, ModelFolder folder, string device, Communicator processes, Terminal terminal)
    {
        using var classifier = Load(what, from, folder, device, processes, terminal.Tell);
        Rules(what, classifier);
        var shared = new SharedTexts(processes);
        using var stop = MaySave(what) ? new StopSignals(terminal, "") : null;
        shared.Follow(classifier, () => stop?.Token.IsCancellationRequested == true);
        return shared.IsStopped ? stop?.Code ?? ExitCode.TryAgain : ExitCode.Success;
    }

    /// <summary>Whether a stop leaves answers to go on from. Who waits for standard input hears no token, and is ended by the signal itself; what is saved is saved.</summary>
    private static bool MaySave(PredictArguments what) => what is { OutputFile: not null, File: not null };

    private static void Answer(
        PredictRun run, int blockRows, AnswerFile? answers, AnswerColumns columns, PredictArguments what, PredictProgress? progress, Terminal terminal)
    {
        using var stop = MaySave(what) ? new StopSignals(terminal, "Stopping and saving the answers so far") : null;
        // Nothing closes it: after an error of the disk it would write once more.
        var text = answers is null ? terminal.Out : new StreamWriter(answers.Stream, CellBytes.Utf8, bufferSize: 1 << 16, leaveOpen: true);
        var writer = AnswerWriter.Of(what.Form, columns, text, answers?.Stream, isEmpty: answers?.Saved is null);
        try
        {
            run.Answer(writer, blockRows, progress, stop?.Token ?? default);
            writer.End();
            writer.Flush();
            answers?.Finish(what.Form == OutputFormat.Parquet ? (cells, file) => ParquetAnswers.Convert(columns, cells, file) : null);
        }
        catch (OperationCanceledException) when (stop is not null)
        {
            var code = stop.Code ?? ExitCode.TryAgain;                     // of another process
            answers!.Save(isForced: true);
            throw new StoppedException(answers.Saved is null ? "Stopped before there was an answer." : $"Stopped: {answers.Kept}", answers.Saved is null ? ExitCode.WithoutState(code) : code) { IsOfAll = true };
        }
        catch (Exception e) when (answers is not null && e is AttuneException or IOException)
        {
            TrySave(answers);
            if (answers!.Saved is not null) terminal.Note(answers.Kept);
            if (e is IOException) throw AtomicFile.Unwritable(what.OutputFile!, e);
            throw;
        }
    }

    /// <summary>Saves what there is after an error, which may be that nothing can be saved any more.</summary>
    private static void TrySave(AnswerFile answers)
    {
        try
        {
            answers.Save(isForced: true);
        }
        catch (AttuneException)
        {
            // What was saved before is there, and the error is told in any case.
        }
    }

    /// <summary>Refuses what makes no sense before a model is loaded.</summary>
    private static void Check(PredictArguments what, bool hasTexts)
    {
        if (what.BatchSize < 1) throw new UsageException($"batch_size is {what.BatchSize}; it must be at least 1.");
        if (what.TopK < 1) throw new UsageException($"top_k is {what.TopK}; it must be at least 1.");
        what.Settings.Check();
        UsageException.Check(() => what.Reading(_ => { }));
        if (what.File is not null && hasTexts) throw new UsageException("Give either texts or --file, not both.");
        if (what.KeepColumns is not null && what.File is null) throw new UsageException("--keep-columns is for --file; texts by themselves have no columns.");
        if (what.PrecisionOption is { } precision && what.Engine == EngineChoice.Onnx) throw new UsageException($"{precision} is for --engine torch; leave one of them out.");
        if (what is { Bf16: true, Fp16: true }) throw new UsageException("--bf16 and --fp16 both say how products are computed; give one of them.");
    }

    /// <summary>What is written of predictions by this model.</summary>
    private static AnswerRules Rules(PredictArguments what, Classifier classifier)
    {
        var task = classifier.ProblemType;
        if (what.TopK is not null && task == ProblemType.Regression) throw new UsageException("--top-k is for classes, and this model gives a number; leave it out.");
        what.Settings.Check(task);
        return new AnswerRules(task, classifier.LabelNames, what.TopK);
    }

    private static string OfAll(long some, long all) =>
        string.Create(CultureInfo.InvariantCulture, $"{some:N0} of {all:N0} {(all == 1 ? "text" : "texts")} {(some == 1 ? "was" : "were")}");

    private static Classifier Load(PredictArguments what, ModelArguments from, ModelFolder folder, string device, Communicator processes, Action<string> tell)
    {
        if (what.Engine == EngineChoice.Torch) Compute.Start(device, from.Threads);
        var classifier = Load(what, from, folder, device, tell);
        if (processes.Size > 1) classifier.Shared = EvaluationBatches.InTurn(processes);
        return classifier;
    }

    private static Classifier Load(PredictArguments what, ModelArguments from, ModelFolder folder, string device, Action<string> tell)
    {
        var options = from.Options(what.Settings.Of(folder.Path, from)) with { BatchSize = what.BatchSize };
        if (what.Engine != EngineChoice.Torch)
            return Classifier.Load(folder.Path, options with { Engine = what.Engine, BaseFolder = folder.Base, Threads = from.Threads });
        var engine = TorchEngine.Load(folder.Path, folder.Base);
        DevicePlacement.Place(device, engine.Model, tell, process: ProcessGroup.NumberOnMachine());
        if (what.PrecisionOption is not null) engine.Model.Precision = what.Bf16 ? Precision.BFloat16 : Precision.Float16;
        return new Classifier(engine, options);
    }
}
