using Attune.Batching;
using Attune.Models;

namespace Attune.Training;

/// <summary>
/// What a <see cref="Trainer"/> learns: the gradients of batches, and what an evaluation says. The loop around them, with its updates, checkpoints, logs
/// and callbacks, is the same for all.
/// </summary>
public abstract class TrainingTask
{
    /// <param name="model">That learns.</param>
    internal TrainingTask(PreTrainedModel model) => Model = model;

    /// <summary>The model.</summary>
    public PreTrainedModel Model { get; }

    /// <summary>Whether a row goes through the frozen part of the model the same way in every epoch, so that its output may be kept.</summary>
    internal virtual bool MayKeepFrozenOutputs => true;

    /// <summary>How many passes over the same rows are in memory together.</summary>
    internal virtual int Passes => 1;

    /// <summary>The arguments without those that have no effect on these rows.</summary>
    /// <param name="args">Validated.</param>
    /// <param name="data">The training rows, else those to evaluate on; null where there are none.</param>
    /// <param name="notice">Is told of each.</param>
    internal virtual TrainingArguments Adapt(TrainingArguments args, TokenizedDataset? data, Action<string> notice) => args;

    /// <summary>Checks arguments and data, once.</summary>
    /// <param name="args">In use.</param>
    /// <param name="train">The training rows, or null.</param>
    /// <param name="eval">The evaluation rows, or null.</param>
    /// <param name="notice">Is told what a user should know and is no error.</param>
    /// <exception cref="AttuneException">They do not fit.</exception>
    internal abstract void Begin(TrainingArguments args, TokenizedDataset? train, TokenizedDataset? eval, Action<string> notice);

    /// <summary>Refuses rows from which nothing can be learned.</summary>
    /// <exception cref="AttuneException">They are such.</exception>
    internal virtual void RequireTrainable(TokenizedDataset train)
    {
    }

    /// <summary>Refuses rows that cannot be evaluated, so that it is known before training and not after its first epoch.</summary>
    /// <exception cref="AttuneException">They are such, or the batch size is impossible.</exception>
    internal virtual void RequireEvaluable(TokenizedDataset data, TrainingArguments args)
    {
        if (data.Count == 0) throw new AttuneException("The evaluation set has no rows; choose another file or split.");
        EvaluationLoop.RequireBatchSize(args);
    }

    /// <summary>The order of the training rows that the task needs; null where it needs none.</summary>
    internal virtual Sampler? Order(TrainingArguments args, TokenizedDataset train) => null;

    /// <summary>What adds the gradients of training batches.</summary>
    /// <param name="train">The training rows.</param>
    /// <param name="args">Of the run.</param>
    /// <param name="frozen">What is kept of the frozen part's output; null for nothing.</param>
    /// <param name="shares">Which rows of a batch this process computes.</param>
    /// <param name="notice">Is told what a user should know and is no error.</param>
    /// <exception cref="AttuneException">The arguments ask for what there is not.</exception>
    internal abstract RowGradients Gradients(TokenizedDataset train, TrainingArguments args, FrozenCache? frozen, RowShares shares, Action<string> notice);

    /// <summary>Goes over a data set in its order, every row once, without dropout.</summary>
    /// <param name="data">The rows.</param>
    /// <param name="prefix">Stands before the names of the metrics.</param>
    /// <param name="trainer">Whose arguments, callbacks and state count, and what it shows in place of the weights that it trains.</param>
    /// <param name="cancellation">Ends it between two batches.</param>
    /// <exception cref="AttuneException">The data set is empty or the batch size impossible.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled between two batches.</exception>
    internal abstract PredictionOutput Evaluate(TokenizedDataset data, string prefix, Trainer trainer, CancellationToken cancellation);

    /// <summary>The memory of a row in a training step.</summary>
    internal abstract MicroBatches.RowBytes Measure(TokenizedRow row);

    /// <summary>Where numbers that are not finite begin: a line for each part of the model, and what was found.</summary>
    /// <param name="data">The training rows.</param>
    /// <param name="rows">Rows of a batch of the update.</param>
    /// <param name="cuts">Into which parts it was cut.</param>
    internal abstract (IReadOnlyList<string> Lines, string Found) SearchOverflow(TokenizedDataset data, int[] rows, MicroBatches cuts);

    /// <summary>Writes the trained model into a folder.</summary>
    internal virtual void Save(string folder, TrainingArguments args) => Model.SavePretrained(folder);
}

/// <summary>Adds the gradients of training rows to a model's.</summary>
internal abstract class RowGradients
{
    /// <summary>Whether a batch can be computed once more without the other processes, where memory has run out.</summary>
    internal virtual bool CanRepeat => true;

    /// <summary>Is called before the last backward of a batch, after which its gradients are whole; null for nobody.</summary>
    internal Action? LastBackward { get; set; }

    /// <summary>Adds the gradients of a batch, of several processes those of this one's rows.</summary>
    /// <param name="rows">Its rows in the data set.</param>
    /// <param name="firstRowNumber">Number of the first of them within the update.</param>
    /// <param name="share">With which its loss counts in the update's.</param>
    /// <param name="cuts">Into which parts it is cut.</param>
    /// <returns>Its loss times the share; the sum over all processes is that of the whole batch.</returns>
    internal abstract BatchLoss Add(int[] rows, int firstRowNumber, double share, MicroBatches cuts);
}
