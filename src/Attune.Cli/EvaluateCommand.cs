using Attune.Batching;
using Attune.Checkpoints;
using Attune.Datasets;
using Attune.Formats;
using Attune.Inference;
using Attune.Metrics;
using Attune.Training;

namespace Attune.Cli;

/// <summary><c>attune evaluate</c>: the metrics of a trained model on a split.</summary>
internal static class EvaluateCommand
{
    internal static Verb Verb { get; } = new(
        "evaluate", "Measures a trained model on a split of a data set.", ("MODEL", "The model, in place of --model: the folder of a run, or any other."),
        [
            new("Evaluation", ArgumentTable.Of<EvaluateArguments>()), new("Model", ArgumentTable.Of<ModelArguments>()), new("Device", ArgumentTable.Of<DeviceArguments>()),
            new("Data", ArgumentTable.Of<DataArguments>()), new("Output", ArgumentTable.Of<OutputArguments>()),
        ], Run)
    {
        IsForSeveral = true,
        Examples = ["attune evaluate trainer_output --split test", "attune evaluate trainer_output --split test[:1000]", "attune evaluate --model FOLDER --test-file test.csv"],
    };

    private static int Run(ArgumentValues values, Terminal terminal)
    {
        var output = values.Create<OutputArguments>().Apply(terminal);
        var (what, from) = (values.Create<EvaluateArguments>(), values.Create<ModelArguments>());
        if (what.BatchSize < 1) throw new UsageException($"batch_size is {what.BatchSize}; it must be at least 1.");
        if (what.MaxTokensPerBatch < 1) throw new UsageException($"max_tokens_per_batch is {what.MaxTokensPerBatch}; it must be at least 1.");
        Compute.Check(values.Create<DeviceArguments>().Device, from.Threads);
        if (what is { Bf16: true, Fp16: true }) throw new UsageException("--bf16 and --fp16 both say how products are computed; give one of them.");
        if (values.Texts.Count > 1 || values.Texts.Count == 1 && from.Model is not null)
            throw new UsageException("attune evaluate takes one model; name it once.");
        var asked = UsageException.Check(() => ThresholdChoice.Parse(values.Create<DataArguments>().Threshold));
        _ = UsageException.Check(() => AbstentionChoice.Parse(values.Create<DataArguments>().AbstainBelow));
        if (what.SaveThresholds && asked is null) throw new UsageException("--save-thresholds writes what --threshold auto chooses; give that too.");
        var processes = ProcessGroup.Join();
        if (what.OutputDir is { } results && processes.IsFirst)
        {
            AtomicFile.CreateFolder(results);
            AtomicFile.RequireWritable(Path.Combine(results, CheckpointFiles.AllResults));
        }
        var name = from.Model ?? (values.Texts is [var named] ? named : Names.LastRun);
        var found = ProcessGroup.InTurn(() => ModelFolder.Find(name, from.ModelRevision, terminal));
        var writing = what.SaveThresholds ? "--save-thresholds" : values.Create<DataArguments>() switch
        {
            { Calibrate: true } => "--calibrate",
            { AbstainBelow: not null } => "--abstain-below",
            _ => null,
        };
        if (writing is not null && found.Commit is not null) throw new UsageException(
            $"{writing} writes into the model's folder, but that of {name} is in the cache of the hub, which others share; fetch it by attune download {name} --local-dir FOLDER, and evaluate FOLDER.");
        var folder = found.Path;
        var isOfRun = !IsNamed(values.Create<DataArguments>());
        var into = EvaluationFolder.Open(what.OutputDir, folder, isOfRun);
        var data = Data(values, folder);
        if (!processes.IsFirst) data = data.InFollower();

        var device = values.Create<DeviceArguments>().Device;
        Compute.Start(device, from.Threads);
        var settings = from.Settings(PredictionSettings.Load(folder));
        var engine = TorchEngine.Load(folder, found.Base);
        using var classifier = new Classifier(engine, from.Options(settings));
        if (output.Verbose) terminal.Tell(RunNotes.Of(folder, classifier));
        if (RunNotes.Shortened(from, classifier.MaxLength) is { } shortened) terminal.Tell(shortened);
        var source = ProcessGroup.InTurn(() => DataSource.Load(data, classifier.LabelNames, mustFit: true, what.OutputDir, terminal));
        if (source.ProblemType != classifier.ProblemType) throw new AttuneException(
            $"{folder} is a model for {Argument.ToJson(classifier.ProblemType)}, but {source.Name} has labels for " +
            $"{Argument.ToJson(source.ProblemType)}; take a data set of the same kind, or give --problem-type.");
        var seed = RunConfig.Seed(folder) ?? new TrainingArguments().Seed;
        if (data.ValidationSplit is not null) source.EnsureValidation(isWanted: true, seed);
        var fold = what.Split is null && data.Fold is { } part ? Fold.Parse(part) : null;
        var split = fold is null ? Split(what, source, isOfRun) : DatasetDict.Train;
        into?.Require(split, data.Fold is null ? source.Validation : fold is null ? null : split, source.Test);
        var threshold = source.Threshold;
        var encoded = new EncodedSplits(source, classifier.Tokenizer, classifier.MaxLength, terminal.Tell, settings.Stride(classifier.MaxLength));
        var rows = encoded.Labelled(split, fold is null ? data.MaxEvalSamples : data.MaxTrainSamples)!;
        var numbers = fold?.Evaluated(rows, seed, data.MaxEvalSamples);
        if (numbers is not null) (rows, split) = (rows.Select(numbers), "eval");

        var arguments = new TrainingArguments
        {
            PerDeviceEvalBatchSize = what.BatchSize,
            MaxTokensPerEvalBatch = what.MaxTokensPerBatch,
            Bf16FullEval = what.Bf16,
            Fp16FullEval = what.Fp16,
            Device = device,
            ReportTo = [],
        };
        var trainer = new Trainer(
            engine.Model, arguments, evalDataset: rows, computeMetrics: source.ComputeMetrics(),
            callbacks: [new ProgressBar(terminal, TimeProvider.System)])
        {
            WindowPooling = settings.WindowPooling,
            Processes = processes,
        };
        var evaluated = trainer.EvaluateRows();
        if (!processes.IsFirst) return ExitCode.Success;
        var measured = evaluated.Prediction!;
        var thresholds = Thresholds(threshold, measured, settings, source);
        var metrics = new OrderedDictionary<string, double>(evaluated.Metrics.Concat(EvaluationNotes.AtThresholds(measured, thresholds, source, "eval")))
        {
            ["eval_samples"] = rows.Texts,
        };
        metrics.Remove("epoch");
        var calibration = AnswerCalibration.Of(source, measured with { Thresholds = thresholds }, settings, terminal.Tell);
        calibration.AddTo(metrics, measured with { Thresholds = thresholds }, "eval");
        var baseline = EvaluationNotes.Baseline(measured, source, "eval");
        if (baseline.Count > 0) terminal.Tell(EvaluationNotes.Describe(baseline, measured, source));
        if (thresholds is not null && threshold is { Number: null })
            terminal.Tell($"{EvaluationNotes.Describe(thresholds, source.ModelLabels)}, chosen on the rows that they are measured on: on others they do a little worse.");
        var all = new OrderedDictionary<string, double>(metrics.Concat(baseline));
        terminal.Result(output.Json ? AsJson(all, split) : PythonDict.Of(metrics));
        into?.Write(split, metrics, baseline, measured with { Thresholds = thresholds }, source, numbers);
        if (what.SaveThresholds) EvaluationNotes.Save(folder, thresholds!, source.ModelLabels);
        calibration.SaveWhereAsked(folder, source);
        return ExitCode.Success;
    }

    /// <summary>What is asked for, else what the model's folder says; null for 0.5.</summary>
    private static IReadOnlyList<double>? Thresholds(ThresholdChoice? asked, EvalPrediction rows, PredictionSettings settings, DataSource source) =>
        asked is { Number: null } ? asked.Of(rows)
        : asked is not null ? EvaluationNotes.Plain(asked.Of(rows), settings.Temperature)
        : rows.Task == TaskKind.MultiLabel && !settings.HasUsualThresholds ? EvaluationNotes.Plain(settings.ThresholdsOf(source.ModelLabels), settings.Temperature) : null;

    /// <summary>The data given; else that of the run whose folder it is.</summary>
    internal static DataArguments Data(ArgumentValues values, string folder)
    {
        var given = values.Create<DataArguments>();
        if (IsNamed(given)) return given;
        if (RunConfig.Read(folder) is not { } run) throw new AttuneException(
            $"{folder} does not say what it was trained on; name the data by --dataset, --validation-file or --test-file.");
        foreach (var (argument, value) in run) values.SetDefault(argument.Name, value, "the run");
        var (data, ofRun) = (values.Create<DataArguments>(), ArgumentTable.Of<DataArguments>().Create<DataArguments>(run));
        // Which rows a fold evaluates hangs on which the run took before it was cut; else the run's limits on rows are not this evaluation's.
        var taken = data.Fold is null ? data with { StratifySamples = given.StratifySamples } : ofRun;
        return data with
        {
            MaxEvalSamples = given.MaxEvalSamples,
            StratifySamples = taken.StratifySamples,
            ShuffleTrainDataset = taken.ShuffleTrainDataset,
            ShuffleSeed = taken.ShuffleSeed,
            MaxTrainSamples = taken.MaxTrainSamples,
            Threshold = given.Threshold,
            Calibrate = given.Calibrate,
            AbstainBelow = given.AbstainBelow,
            SaveEvalPredictions = given.SaveEvalPredictions,
        };
    }

    /// <summary>Whether the arguments name any data.</summary>
    internal static bool IsNamed(DataArguments data) => new[] { data.Dataset, data.TrainFile, data.ValidationFile, data.TestFile }.Any(name => name is not null);

    private static string AsJson(IReadOnlyDictionary<string, double> metrics, string split)
    {
        var json = TrainerStateJson.Entry(metrics);
        json["split"] = split;
        return PythonJson.Write(json, ensureAscii: false);
    }

    private static string Split(EvaluateArguments what, DataSource source, bool isOfRun)
    {
        if (what.Split is { } named) return source.Has(named) ? named : throw new AttuneException(
            $"{source.Name} has no split \"{named}\"; it has {string.Join(", ", source.SplitNames)}.");
        if (source.Validation is { } validation) return validation;
        // Rows that were trained on say nothing of the model: they are taken only where they are all that was named.
        return source.SplitNames.Count == 1 && !isOfRun ? source.SplitNames[0] : throw new AttuneException(
            $"{source.Name} has no validation split; choose one of {string.Join(", ", source.SplitNames)} by --split.");
    }
}
