using System.Globalization;
using System.Text.Json.Nodes;
using Attune.Batching;
using Attune.Checkpoints;
using Attune.Distributed;
using Attune.Formats;
using Attune.Models;
using Attune.Pretraining;
using Attune.Profiling;
using Attune.Reporting;
using Attune.Tokenization;
using Attune.Training;

namespace Attune.Cli.Pretraining;

/// <summary>One pretraining: from text to a folder with a masked language model, its tokenizer and its results.</summary>
internal sealed class PretrainRun(PretrainArguments arguments, TrainingArguments training, OutputArguments output, Terminal terminal, Communicator processes)
{
    /// <summary>Learns and evaluates. Ctrl+C and SIGTERM end it with a checkpoint.</summary>
    /// <param name="checkpoint">That it goes on from; null to start.</param>
    /// <returns>The exit code.</returns>
    /// <exception cref="AttuneException">Something is wrong that the user can mend.</exception>
    internal int Run(string? checkpoint)
    {
        Compute.Begin();
        var found = arguments.Model is { } name ? ProcessGroup.InTurn(() => Names.Model(name, arguments.ModelRevision, terminal)) : null;
        var corpus = Corpus.Of(arguments.TrainFile);
        var start = found is null ? null : ModelShape.Changed(PreTrainedConfig.Load(Path.Combine(found.Path, PreTrainedConfig.FileName)), arguments);
        var positions = start?.MaxPositionEmbeddings ?? ModelShape.PositionsOf(arguments);
        var tokenizer = PretrainTokenizer.OfFirst(processes, () => PretrainTokenizer.Of(arguments, positions, found?.Path, checkpoint, corpus, terminal));
        var maxLength = Math.Min(arguments.MaxLength, positions);
        if (maxLength < arguments.MaxLength) terminal.Tell($"max_length is {maxLength} and not {arguments.MaxLength}: the model has no more positions.");
        var collator = new DataCollatorForLanguageModeling(tokenizer, arguments.MlmProbability, arguments.WholeWordMask, arguments.MaskReplaceProb, arguments.RandomReplaceProb);
        var rows = ProcessGroup.InTurn(() => PretrainRows.Of(arguments, corpus, tokenizer, maxLength, training.Seed, terminal));
        Compute.Start(training.DeviceAsked, arguments.Threads);
        var task = Task(found?.Path, start, tokenizer, collator, isFresh: found is null && checkpoint is null, rows.Train);
        using var model = task.Model;
        Describe(model, rows);
        using var stop = new StopSignals(terminal);
        using var save = new SaveOnSignal(terminal);
        var reporters = processes.IsFirst ? Reporters.Of(training, terminal.Tell) : [];
        try
        {
            var trainer = new Trainer(
                task, training, rows.Train, rows.Eval,
                !processes.IsFirst ? [save] :
                [new ProgressBar(terminal, TimeProvider.System), save, new PretrainConfig(arguments with { ModelRevision = found?.Commit ?? arguments.ModelRevision }), .. reporters],
                tokenizer.Save, terminal.Tell)
            { Processes = processes };
            return Run(trainer, rows, checkpoint, stop);
        }
        finally
        {
            foreach (var reporter in reporters.OfType<IDisposable>()) reporter.Dispose();
        }
    }

    private int Run(Trainer trainer, PretrainRows rows, string? checkpoint, StopSignals stop)
    {
        var end = new RunEnd(trainer, isPart: false, terminal);
        var done = trainer.TrainFrom(checkpoint, stop.Token);
        if (done.Interrupted) return end.Interrupted(done, stop.Code ?? ExitCode.TryAgain);
        Profiler.Measure("saving", () => trainer.SaveModel());
        processes.Patience = Communicator.Long;                            // the first writes results between what all compute
        var json = new JsonObject { ["train"] = end.Trained(done, rows.Train.Count) };
        if (rows.Eval is { } eval)
        {
            try
            {
                var metrics = new OrderedDictionary<string, double>(trainer.Evaluate(eval, cancellation: stop.Token)) { ["eval_samples"] = eval.Count };
                trainer.SaveMetrics("eval", metrics);
                trainer.SaveState();
                json["eval"] = TrainerStateJson.Entry(metrics);
                if (!output.Json) terminal.Result(PythonDict.Of(metrics));
            }
            catch (OperationCanceledException)
            {
                terminal.Note($"Stopped; the model is in {training.OutputDir}, but it was not evaluated.");
                return ExitCode.WithoutState(stop.Code ?? ExitCode.TryAgain);
            }
        }
        if (arguments.Dtype == SavedType.Float16 && processes.IsFirst) HalfPrecision.Convert(training.OutputDir);
        json["output_dir"] = training.OutputDir;
        if (output.Json) terminal.Result(PythonJson.Write(json, ensureAscii: false));
        terminal.Tell($"The model is in {training.OutputDir}. Try: attune train --model {training.OutputDir}");
        return ExitCode.Success;
    }

    /// <summary>The model, and what it learns.</summary>
    /// <param name="folder">That the model comes from; null for a new one.</param>
    /// <param name="start">Its configuration, with the changes asked for.</param>
    /// <param name="tokenizer">Of the model.</param>
    /// <param name="collator">Hides tokens.</param>
    /// <param name="isFresh">Whether nothing has been learned yet.</param>
    /// <param name="rows">To learn from.</param>
    private PretrainingTask Task(string? folder, PreTrainedConfig? start, Tokenizer tokenizer, DataCollatorForLanguageModeling collator, bool isFresh, TokenizedDataset rows)
    {
        var config = start ?? ModelShape.New(arguments, tokenizer);
        var seed = unchecked((ulong)training.Seed);
        isFresh &= arguments.InitialWeights == WeightStart.Text;
        if (arguments.Objective == PretrainObjective.ReplacedTokens)
        {
            var layers = arguments.GeneratorLayers ?? (config.NumHiddenLayers + 3) / 4;
            var electra = folder is null ? ElectraForPreTraining.FromConfig((ElectraConfig)config, seed, arguments.Dropout, layers)
                : Told(ElectraForPreTraining.FromPretrained(folder, _ => (ElectraConfig)config, seed, arguments.Dropout, layers));
            if (isFresh) InitialWeights.FromText(electra, collator, rows, seed);
            return new ReplacedTokenDetection(electra, collator) { DiscriminatorWeight = arguments.DiscriminatorWeight };
        }
        var comparesRows = arguments.ContrastiveWeight > 0;
        var bert = folder is null ? BertForMaskedLM.FromConfig((BertConfig)config, seed, arguments.Dropout, comparesRows)
            : Told(BertForMaskedLM.FromPretrained(folder, _ => (BertConfig)config, seed, arguments.Dropout, comparesRows));
        if (isFresh) InitialWeights.FromText(bert, collator, rows, seed);
        return new MaskedLanguageModeling(bert, collator) { ContrastiveWeight = arguments.ContrastiveWeight, ContrastiveTemperature = arguments.ContrastiveTemperature };

        T Told<T>(T model) where T : PreTrainedModel
        {
            if (model.LoadReport.Describe() is { Length: > 0 } report) terminal.Tell(report);
            return model;
        }
    }

    private void Describe(PreTrainedModel model, PretrainRows rows)
    {
        var config = model.Config;
        terminal.Tell(string.Create(CultureInfo.InvariantCulture,
            $"Model: {arguments.Model ?? "new"} ({config.NumHiddenLayers} layers of {config.HiddenSize}, {config.VocabSize:N0} tokens, {model.ParameterCount:N0} weights)."));
        terminal.Tell(RunNotes.Plan(TrainingPlan.Of(training, Samplers.Batches(training, rows.Train)), training));
    }
}
