using System.Diagnostics;
using Attune.Batching;
using Attune.Models;
using Attune.Profiling;
using Attune.Training;

namespace Attune.Pretraining;

/// <summary>Learning to find hidden tokens, from rows without labels: what a <see cref="Trainer"/> does with a <see cref="BertForMaskedLM"/>.</summary>
/// <param name="model">The model.</param>
/// <param name="collator">Hides tokens.</param>
/// <example><code>
/// var rows = CorpusRows.Of(Corpus.Of("texts"), tokenizer, maxLength: 128);
/// var trainer = new Trainer(new MaskedLanguageModeling(model, new DataCollatorForLanguageModeling(tokenizer)), arguments, rows);
/// trainer.Train();
/// </code></example>
public sealed class MaskedLanguageModeling(BertForMaskedLM model, DataCollatorForLanguageModeling collator) : TrainingTask(model)
{
    internal override bool MayKeepFrozenOutputs => false;

    internal override void Begin(TrainingArguments args, TokenizedDataset? train, TokenizedDataset? eval, Action<string> notice)
    {
        if (collator.VocabularySize > model.Config.VocabSize)
            throw new AttuneException($"The tokenizer has {collator.VocabularySize} tokens and the model a vocabulary of {model.Config.VocabSize}; use the tokenizer that belongs to the model.");
        if (args.CacheFrozen == true) throw new AttuneException("cache_frozen keeps what the frozen part gives for a row, but other tokens are hidden each time; leave it out.");
        if (args.HasAdapter) throw new AttuneException("an adapter is asked for (lora_r, or tune lora), but pretraining trains the model itself; leave it out.");
        if (args.RDropAlpha > 0) throw Unfit("r_drop_alpha");
        if (args.FgmEpsilon > 0) throw Unfit("fgm_epsilon");
        if (args.Sampling != SamplingKind.Shuffle) throw Unfit("sampling");
        if (args.ReinitLayers > 0) throw Unfit("reinit_layers");
        LossArguments.RequireNone(args);
    }

    internal override RowGradients Gradients(TokenizedDataset train, TrainingArguments args, FrozenCache? frozen, Action<string> notice) =>
        new MaskedGradients(model, collator, train, Processes);

    internal override PredictionOutput Evaluate(TokenizedDataset data, string prefix, Trainer trainer, CancellationToken cancellation)
    {
        RequireEvaluable(data, trainer.Args);
        using var time = Profiler.Measure("evaluation");
        using var shown = trainer.Averaged?.Show();
        var (watch, size) = (Stopwatch.StartNew(), trainer.Args.PerDeviceEvalBatchSize);
        var batches = (data.Count - 1) / size + 1;
        // Every process goes over all rows, so none may end before the others; a run stops after its next update.
        if (Processes.Size > 1) cancellation = CancellationToken.None;
        var (loss, right, count) = (0.0, 0L, 0L);
        for (var batch = 0; batch < batches; batch++)
        {
            cancellation.ThrowIfCancellationRequested();
            int[] rows = [.. Enumerable.Range(batch * size, Math.Min(size, data.Count - batch * size))];
            using (var output = Predict(data, rows, trainer.Args))
            {
                loss += output.LossSum;
                right += output.Right;
                count += output.Positions.Count;
            }
            trainer.Callbacks.PredictionStep(trainer.State, batch + 1, batches);
        }
        var metrics = new OrderedDictionary<string, double>();
        if (count > 0)
        {
            metrics[prefix + "_loss"] = loss / count;
            if (!trainer.Args.PredictionLossOnly)
                (metrics[prefix + "_perplexity"], metrics[prefix + "_accuracy"]) = (Math.Exp(loss / count), right / (double)count);
        }
        SpeedMetrics.Add(metrics, prefix, watch.Elapsed.TotalSeconds, data.Count, batches);
        return new PredictionOutput([], 1, null, metrics);
    }

    internal override MicroBatches.RowBytes Measure(TokenizedRow row) => MicroBatches.RowBytes.Measure(model, row, batch =>
    {
        // As many as are hidden, be they which they may.
        int[] positions = [.. Enumerable.Range(0, Math.Max(1, (int)Math.Ceiling(batch.Tokens * collator.MlmProbability)))];
        using var output = model.Forward(batch, positions, new int[positions.Length]);
        output.Backward();
    });

    internal override (IReadOnlyList<string> Lines, string Found) SearchOverflow(TokenizedDataset data, int[] rows, MicroBatches cuts) =>
        OverflowSearch.Of(model, data, rows, cuts, batch => OverflowSearch.Named(model.Encoder.AllStates(batch)), batch =>
        {
            var masked = collator.Mask(batch, model.DropoutKey.Seed, model.DropoutKey.Update);
            using var output = model.Forward(batch, masked.Positions, masked.Targets);
            return double.IsFinite(output.LossSum);
        }, "the head");

    private MaskedLMOutput Predict(TokenizedDataset data, int[] rows, TrainingArguments args)
    {
        var (wasTraining, precision) = (model.Training, model.Precision);
        model.Training = false;
        model.Precision = args.EvaluationPrecision ?? precision;
        try
        {
            var batch = data.Batch(rows);
            var masked = collator.Mask(batch, unchecked((ulong)args.Seed), rows);
            return model.Forward(batch, masked.Positions, masked.Targets);
        }
        finally
        {
            (model.Training, model.Precision) = (wasTraining, precision);
        }
    }

    private static AttuneException Unfit(string argument) => new($"{argument} is for rows with labels, and pretraining has none; leave it out.");
}
