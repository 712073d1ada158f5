using Attune.Batching;
using Attune.Models;
using Attune.Training;

namespace Attune.Pretraining;

/// <summary>What learning from text without labels has in common, whatever is asked of its tokens.</summary>
public abstract class PretrainingTask : TrainingTask
{
    private protected PretrainingTask(PreTrainedModel model, DataCollatorForLanguageModeling collator) : base(model) => Collator = collator;

    internal override bool MayKeepFrozenOutputs => false;

    /// <summary>Hides tokens.</summary>
    private protected DataCollatorForLanguageModeling Collator { get; }

    internal override void Begin(TrainingArguments args, TokenizedDataset? train, TokenizedDataset? eval, Action<string> notice)
    {
        if (Collator.VocabularySize > Model.Config.VocabSize)
            throw new AttuneException($"The tokenizer has {Collator.VocabularySize} tokens and the model a vocabulary of {Model.Config.VocabSize}; use the tokenizer that belongs to the model.");
        if (args.CacheFrozen == true) throw new AttuneException("cache_frozen keeps what the frozen part gives for a row, but other tokens are hidden each time; leave it out.");
        if (args.HasAdapter) throw new AttuneException("an adapter is asked for (lora_r, or tune lora), but pretraining trains the model itself; leave it out.");
        if (args.RDropAlpha > 0) throw Unfit("r_drop_alpha");
        if (args.FgmEpsilon > 0) throw Unfit("fgm_epsilon");
        if (args.Sampling != SamplingKind.Shuffle) throw Unfit("sampling");
        if (args.ReinitLayers > 0) throw Unfit("reinit_layers");
        LossArguments.RequireNone(args);
    }

    /// <summary>Goes over the batches of a data set, those of all processes in turn.</summary>
    /// <param name="data">The rows.</param>
    /// <param name="order">In which they come.</param>
    /// <param name="trainer">Whose arguments and callbacks count.</param>
    /// <param name="predict">Computes what is summed up, of rows.</param>
    /// <param name="cancellation">Ends it between two batches.</param>
    /// <returns>Of each batch.</returns>
    private protected TSums[] EachBatch<TSums>(TokenizedDataset data, int[] order, Trainer trainer, Func<int[], TSums> predict, CancellationToken cancellation)
        where TSums : unmanaged
    {
        RequireEvaluable(data, trainer.Args);
        using var shown = trainer.Averaged?.Show();
        using var mode = EvaluationMode.Begin(Model, trainer.Args);
        var (processes, starts) = (trainer.Processes, EvaluationBatches.Starts(trainer.Args, data.Count, place => data.Rows[order[place]].Length));
        var (batches, turns) = (starts.Length - 1, EvaluationBatches.InTurn(processes));
        var results = new TSums[batches];
        for (var next = 0; next < batches; next += processes.Size)
        {
            processes.ThrowIfStopped(cancellation);
            for (var batch = next; batch < Math.Min(next + processes.Size, batches); batch++)
                if (turns.IsMine(batch)) results[batch] = predict(order[starts[batch]..starts[batch + 1]]);
            trainer.Callbacks.PredictionStep(trainer.State, Math.Min(next + processes.Size, batches), batches);
        }
        turns.Collect(results, [.. Enumerable.Range(0, batches + 1)]);
        return results;
    }

    private static AttuneException Unfit(string argument) => new($"{argument} is for rows with labels, and pretraining has none; leave it out.");
}
