using Attune.Batching;

namespace Attune.Training;

/// <summary>How many batches, updates and epochs a run has.</summary>
/// <param name="BatchesPerEpoch">Batches of an epoch.</param>
/// <param name="UpdatesPerEpoch">Optimizer updates of an epoch; the last may average fewer batches.</param>
/// <param name="TotalSteps">Optimizer updates of the run; 0 or less: none.</param>
/// <param name="Epochs">Epochs that the run goes through, the last perhaps not to its end.</param>
internal sealed record TrainingPlan(long BatchesPerEpoch, long UpdatesPerEpoch, long TotalSteps, long Epochs)
{
    /// <summary>The plan for a training set.</summary>
    /// <exception cref="AttuneException">The batch size is impossible, or there is no batch.</exception>
    internal static TrainingPlan Of(TrainingArguments args, int rows)
    {
        RequirePositive("per_device_train_batch_size", args.PerDeviceTrainBatchSize);
        RequirePositive("gradient_accumulation_steps", args.GradientAccumulationSteps);
        if (rows == 0) throw new AttuneException("The training set has no rows; choose another file or split.");
        var batches = DataLoader.CountOf(rows, args.RowsPerBatch, args.DataloaderDropLast);
        if (batches == 0 && args.MaxSteps <= 0)
            throw new AttuneException(
                $"There is no batch to train on: dataloader_drop_last leaves out batches below {args.RowsPerBatch} rows and the training set has {rows}; lower per_device_train_batch_size.");
        // Without a batch transformers goes through one empty epoch of an endless run.
        if (batches == 0) return new TrainingPlan(0, args.MaxSteps, args.MaxSteps, long.MaxValue);

        var updates = (batches - 1) / args.GradientAccumulationSteps + 1;
        return args.MaxSteps switch
        {
            > 0 => new TrainingPlan(batches, updates, args.MaxSteps, (args.MaxSteps - 1) / updates + 1),
            0 => new TrainingPlan(batches, updates, 0, (long)Math.Ceiling(args.NumTrainEpochs)),
            _ => new TrainingPlan(batches, updates, (long)Math.Ceiling(args.NumTrainEpochs * updates), (long)Math.Ceiling(args.NumTrainEpochs)),
        };
    }

    /// <summary>Updates of warm-up: <c>warmup_steps</c> where it is given, else <c>warmup_ratio</c> of the run, rounded up.</summary>
    internal long WarmupSteps(TrainingArguments args) => args.WarmupSteps switch
    {
        >= 1 => (long)args.WarmupSteps,
        > 0 => Share(args.WarmupSteps),
        _ => Share(args.WarmupRatio),
    };

    /// <summary>Updates before the first that is averaged.</summary>
    /// <param name="start">As <c>swa_start</c>: a share of the run, or a number of epochs.</param>
    /// <exception cref="AttuneException">The run ends before.</exception>
    internal long AveragingStart(double start)
    {
        var updates = start < 1 ? Share(start) : (long)Math.Ceiling(Math.Min(start * UpdatesPerEpoch, TotalSteps));
        return updates < TotalSteps || TotalSteps < 1 ? updates : throw new AttuneException(FormattableString.Invariant(
            $"swa_start is {start}, but the run has {TotalSteps} updates, {UpdatesPerEpoch} an epoch, so nothing would be averaged; lower it."));
    }

    private long Share(double ratio) => (long)Math.Ceiling(TotalSteps * ratio);

    private static void RequirePositive(string name, int value)
    {
        if (value < 1) throw new AttuneException($"{name} is {value}; it must be at least 1.");
    }
}
