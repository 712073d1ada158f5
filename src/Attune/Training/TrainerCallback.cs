using System.Text.Json.Nodes;
using Attune.Checkpoints;

namespace Attune.Training;

/// <summary>Watches a run and steers it: the events of transformers' Trainer, in its order. Override what is of interest.</summary>
public abstract class TrainerCallback
{
    /// <summary>The Trainer has been built.</summary>
    public virtual void OnInitEnd(TrainingArguments args, TrainerState state, TrainerControl control)
    {
    }

    /// <summary>Training begins, or goes on from a checkpoint.</summary>
    public virtual void OnTrainBegin(TrainingArguments args, TrainerState state, TrainerControl control)
    {
    }

    /// <summary>Training has ended.</summary>
    public virtual void OnTrainEnd(TrainingArguments args, TrainerState state, TrainerControl control)
    {
    }

    /// <summary>An epoch begins.</summary>
    public virtual void OnEpochBegin(TrainingArguments args, TrainerState state, TrainerControl control)
    {
    }

    /// <summary>An epoch has ended.</summary>
    public virtual void OnEpochEnd(TrainingArguments args, TrainerState state, TrainerControl control)
    {
    }

    /// <summary>An optimizer update begins.</summary>
    public virtual void OnStepBegin(TrainingArguments args, TrainerState state, TrainerControl control)
    {
    }

    /// <summary>A batch of an update, but not its last, has given its gradients.</summary>
    public virtual void OnSubstepEnd(TrainingArguments args, TrainerState state, TrainerControl control)
    {
    }

    /// <summary>The gradients are complete and clipped.</summary>
    public virtual void OnPreOptimizerStep(TrainingArguments args, TrainerState state, TrainerControl control)
    {
    }

    /// <summary>The optimizer has changed the weights.</summary>
    public virtual void OnOptimizerStep(TrainingArguments args, TrainerState state, TrainerControl control)
    {
    }

    /// <summary>An optimizer update is complete.</summary>
    /// <param name="args">The arguments of the run.</param>
    /// <param name="state">Where the run stands.</param>
    /// <param name="control">What to do next.</param>
    /// <param name="step">What the update gave.</param>
    public virtual void OnStepEnd(TrainingArguments args, TrainerState state, TrainerControl control, StepResult step)
    {
    }

    /// <summary>The frozen part's output of some more rows has been computed, before the first update; transformers has no such event.</summary>
    /// <param name="args">The arguments of the run.</param>
    /// <param name="state">Where the run stands.</param>
    /// <param name="control">What to do next.</param>
    /// <param name="row">Number of rows done.</param>
    /// <param name="rows">Number of all rows.</param>
    public virtual void OnFrozenStep(TrainingArguments args, TrainerState state, TrainerControl control, int row, int rows)
    {
    }

    /// <summary>A batch has been evaluated.</summary>
    /// <param name="args">The arguments of the run.</param>
    /// <param name="state">Where the run stands.</param>
    /// <param name="control">What to do next.</param>
    /// <param name="batch">Number of batches evaluated.</param>
    /// <param name="batches">Number of batches of this evaluation.</param>
    public virtual void OnPredictionStep(TrainingArguments args, TrainerState state, TrainerControl control, int batch, int batches)
    {
    }

    /// <summary>An evaluation is complete.</summary>
    /// <param name="args">The arguments of the run.</param>
    /// <param name="state">Where the run stands; its best metric does not include this evaluation yet.</param>
    /// <param name="control">What to do next.</param>
    /// <param name="metrics">Its results.</param>
    public virtual void OnEvaluate(TrainingArguments args, TrainerState state, TrainerControl control, IReadOnlyDictionary<string, double> metrics)
    {
    }

    /// <summary>Predictions are complete.</summary>
    /// <param name="args">The arguments of the run.</param>
    /// <param name="state">Where the run stands.</param>
    /// <param name="control">What to do next.</param>
    /// <param name="metrics">Their results.</param>
    public virtual void OnPredict(TrainingArguments args, TrainerState state, TrainerControl control, IReadOnlyDictionary<string, double> metrics)
    {
    }

    /// <summary>A checkpoint is on the disk. A large one is written while training goes on, so some updates may have been made since.</summary>
    /// <param name="args">The arguments of the run.</param>
    /// <param name="state">Where the run stood: what the checkpoint holds.</param>
    /// <param name="control">What to do next.</param>
    public virtual void OnSave(TrainingArguments args, TrainerState state, TrainerControl control)
    {
    }

    /// <summary>Something was logged.</summary>
    /// <param name="args">The arguments of the run.</param>
    /// <param name="state">Where the run stands; its last history entry is this one.</param>
    /// <param name="control">What to do next.</param>
    /// <param name="logs">Names and values.</param>
    public virtual void OnLog(TrainingArguments args, TrainerState state, TrainerControl control, IReadOnlyDictionary<string, double> logs)
    {
    }

    /// <summary>What must survive a restart, as transformers keeps it: <c>args</c> and <c>attributes</c>; null where there is nothing.</summary>
    protected internal virtual JsonObject? ExportState() => null;

    /// <summary>Takes over what <see cref="ExportState"/> gave.</summary>
    protected internal virtual void RestoreState(JsonObject saved)
    {
    }
}
