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

    internal override RowGradients Gradients(TokenizedDataset train, TrainingArguments args, FrozenCache? frozen, RowShares shares, Action<string> notice) =>
        new MaskedGradients(model, collator, train, shares);

    internal override PredictionOutput Evaluate(TokenizedDataset data, string prefix, Trainer trainer, CancellationToken cancellation)
    {
        RequireEvaluable(data, trainer.Args);
        using var time = Profiler.Measure("evaluation");
        using var shown = trainer.Averaged?.Show();
        var (watch, processes, starts) = (Stopwatch.StartNew(), trainer.Processes, EvaluationBatches.Starts(trainer.Args, data));
        var (batches, turns) = (starts.Length - 1, EvaluationBatches.InTurn(processes));
        var results = new (double Loss, long Right, long Count)[batches];
        for (var next = 0; next < batches; next += processes.Size)
        {
            processes.ThrowIfStopped(cancellation);
            for (var batch = next; batch < Math.Min(next + processes.Size, batches); batch++)
                if (turns.IsMine(batch)) results[batch] = Predict(data, EvaluationBatches.Rows(starts, batch), trainer.Args);
            trainer.Callbacks.PredictionStep(trainer.State, Math.Min(next + processes.Size, batches), batches);
        }
        turns.Collect(results, [.. Enumerable.Range(0, batches + 1)]);
        var (loss, right, count) = (results.Sum(one => one.Loss), results.Sum(one => one.Right), results.Sum(one => one.Count));
        var metrics = new OrderedDictionary<string, double>();
        if (count > 0)
        {
            metrics[prefix + "_loss"] = loss / count;
            if (!trainer.Args.PredictionLossOnly)
                (metrics[prefix + "_perplexity"], metrics[prefix + "_accuracy"]) = (Math.Exp(loss / count), right / (double)count);
        }
        SpeedMetrics.Add(metrics, prefix, processes.OfFirst(watch.Elapsed.TotalSeconds), data.Count, batches);
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

    /// <summary>Sum of the losses, tokens found, and tokens hidden.</summary>
    private (double Loss, long Right, long Count) Predict(TokenizedDataset data, int[] rows, TrainingArguments args)
    {
        using var mode = EvaluationMode.Begin(model, args);
        var batch = data.Batch(rows);
        var masked = collator.Mask(batch, unchecked((ulong)args.Seed), rows);
        using var output = model.Forward(batch, masked.Positions, masked.Targets);
        return (output.LossSum, output.Right, output.Positions.Count);
    }

    private static AttuneException Unfit(string argument) => new($"{argument} is for rows with labels, and pretraining has none; leave it out.");
}
