using Attune.Datasets;
using Attune.Inference;
using Attune.Models;
using Attune.Profiling;
using Attune.Reporting;
using Attune.Tokenization;
using Attune.Training;

namespace Attune.Cli;

/// <summary><c>attune train</c>: puts the parts together in the order in which data goes through them.</summary>
internal static class TrainCommand
{
    internal static Verb Verb { get; } = new(
        "train", "Fine-tunes a model; without any option the embedded encoder on the embedded data set.", null,
        [
            new("Model", ArgumentTable.Of<ModelArguments>()), new("Data", ArgumentTable.Of<DataArguments>()),
            new("Output", ArgumentTable.Of<OutputArguments>()), new("Hub", ArgumentTable.Of<TrainHubArguments>()),
            new("Training, by the names and with the defaults of transformers", ArgumentTable.Of<TrainingArguments>()),
        ], Run)
    {
        Complete = EffectiveArguments.Complete,
        Examples =
        [
            "attune train",
            "attune train --model bert-base-uncased --dataset glue/sst2 --eval-strategy epoch --learning-rate 2e-5",
            "attune train --model FOLDER --train-file train.csv --validation-file dev.csv",
        ],
    };

    private static int Run(ArgumentValues values, Terminal terminal)
    {
        var output = values.Create<OutputArguments>().With(values.Create<TrainingArguments>().LogLevel).Apply(terminal);
        var (start, data) = (values.Create<ModelArguments>(), values.Create<DataArguments>());
        var model = start.Model ?? Names.EmbeddedEncoder;
        var defaults = model == Names.EmbeddedEncoder ? EmbeddedDefaults.Apply(values) : null;
        return Run(start with { Model = model }, data, values.Create<TrainingArguments>(), defaults, values.Create<TrainHubArguments>(), output, terminal);
    }

    /// <summary>Refuses before any data is read what the Trainer would refuse later, and a run that trains nothing.</summary>
    private static TrainingArguments Check(TrainingArguments arguments)
    {
        Optimizers.Check(arguments);
        EvaluationLoop.RequireBatchSize(arguments);
        if (TrainingPlan.Of(arguments, int.MaxValue).TotalSteps < 1)
            throw new AttuneException("Nothing would be trained: num_train_epochs, or max_steps where it is given, must be above 0.");
        return arguments.Validated();
    }

    private static int Run(
        ModelArguments from, DataArguments data, TrainingArguments arguments, string? defaults, TrainHubArguments hub, OutputArguments output,
        Terminal terminal)
    {
        Compute.Check(from, arguments.UseCpu);
        if (arguments.UseCpu) @from = @from with { Device = "cpu" };
        var checkedArguments = UsageException.Check(() => Check(arguments));
        hub.Check(checkedArguments.OutputDir, terminal);
        using var profile = Profiler.Start(arguments.Profile);
        using var pusher = hub.Pusher(terminal);
        var code = Run(from, data, arguments, checkedArguments, defaults, output, terminal, pusher);
        if (profile is not null) terminal.Tell(profile.Write(checkedArguments.OutputDir).TrimEnd());
        if (code == ExitCode.Success) pusher?.Finish();
        if (code == ExitCode.Success) hub.Push(checkedArguments.OutputDir, terminal);
        return code;
    }

    private static int Run(
        ModelArguments from, DataArguments data, TrainingArguments arguments, TrainingArguments checkedArguments, string? defaults,
        OutputArguments output, Terminal terminal, HubPusher? pusher)
    {
        var checkpoint = OutputFolder.Check(checkedArguments, checkedArguments.ResumeFromCheckpoint, terminal.Tell);
        if (checkpoint is not null) (from, data) = RunConfig.AtItsCommits(checkedArguments.OutputDir, from, data);
        var found = Names.Model(from.Model!, from.ModelRevision, terminal); // names become folders here and nowhere else
        var folder = found.Path;
        var config = BertConfig.Load(Path.Combine(folder, BertConfig.FileName));
        if (checkpoint is not null) RunConfig.CheckModel(checkpoint, checkedArguments.OutputDir, config);
        var source = Profiler.Measure("reading data", () =>
            DataSource.Load(data, config.LabelNames, mustFit: false, checkedArguments.OutputDir, terminal, found: Compute.Begin));
        if (!source.SplitNames.Contains(DatasetDict.Train))
            throw new AttuneException($"{source.Name} has no training rows; give --train-file, or a data set with a split train.");
        var isEvaluated = arguments.EvalStrategy != IntervalStrategy.No || arguments.DoEval || arguments.LoadBestModelAtEnd;
        data = data with { ValidationSplit = source.EnsureValidation(isEvaluated, arguments.Seed) };
        if (from.Model == Names.EmbeddedEncoder) arguments = EmbeddedDefaults.WithMetric(arguments, source.Metrics[0]);
        source.CheckBestMetric(arguments);
        if (defaults is not null) terminal.Tell(defaults);
        var tokenizer = BertTokenizer.FromPretrained(folder, from.TokensInText);
        var maxLength = RowLength.Of(tokenizer, config, from.MaxLength);
        var rows = new EncodedSplits(source, tokenizer, maxLength, terminal.Tell);
        var train = rows.Labelled(DatasetDict.Train, data.MaxTrainSamples)!;
        var eval = source.Validation is { } validation ? rows.Labelled(validation, data.MaxEvalSamples) : null;
        var mismatched = source.Mismatched(DatasetDict.Validation) is { } other ? rows.Labelled(other, data.MaxEvalSamples) : null;

        if (eval is null)
            terminal.Tell("There is no validation split, so nothing is evaluated; --validation-split 0.1 sets a tenth of the training rows apart.");

        Profiler.Measure("libtorch", () => Compute.Start(from));
        using var model = Profiler.Measure("loading", () => BertForSequenceClassification.FromPretrained(
            folder, source.ModelLabels, source.ProblemType, seed: unchecked((ulong)arguments.Seed)));
        if (arguments.LogLevel != LogLevel.Warning)
            foreach (var line in RunNotes.Of(from, data, config, model, arguments, train, maxLength)) terminal.Tell(line);
        using var stop = new StopSignals(terminal);
        using var save = new SaveOnSignal(terminal);
        var trainer = new Trainer(
            model, arguments, train, eval, source.ComputeMetrics(),
            [
                new ProgressBar(terminal, TimeProvider.System), save,
                new RunConfigKeeper(@from with { ModelRevision = found.Commit }, data with { DatasetRevision = source.Commit }), .. Reporters.Of(arguments), .. pusher is null ? (TrainerCallback[])[] : [pusher],
            ],
            tokenizer.Save, terminal.Tell);
        if (output.Verbose)
            foreach (var line in RunNotes.Details(folder, model, trainer.Args)) terminal.Tell(line);
        var results = new TrainResults(trainer, source, output, terminal);
        var done = trainer.TrainFrom(checkpoint, stop.Token);
        if (done.Interrupted) return results.Interrupted(done, stop.Code ?? ExitCode.TryAgain);   // else max_time is over
        Profiler.Measure("saving", () => trainer.SaveModel());
        results.Train(done, train.Count);
        try
        {
            if (eval is not null) results.Evaluation(eval, mismatched, stop.Token);
            if (source.Test is { } test && (arguments.DoPredict || data.TestFile is not null || data.TestSplitName is not null || EmbeddedDatasets.Contains(source.Name)))
            {
                results.Test(rows.Encode(test, data.MaxPredictSamples)!, rows.Kinds(test, data.MaxPredictSamples), stop.Token);
                if (source.Mismatched(DatasetDict.Test) is { } second) results.Predictions(rows.Encode(second, data.MaxPredictSamples)!, "predict_results_mnli-mm.txt", stop.Token);
            }
        }
        catch (OperationCanceledException)
        {
            return results.InterruptedAfterTraining(stop.Code!.Value);
        }
        return results.Finish();
    }
}
