using Attune.Batching;

namespace Attune.Training;

/// <summary>How many batches, updates and epochs a run has.</summary>
/// <param name="BatchesPerEpoch">Batches of an epoch; made by tokens, of the first.</param>
/// <param name="UpdatesPerEpoch">Optimizer updates of an epoch, the last of which may average fewer batches; made by tokens, of the first.</param>
/// <param name="TotalSteps">Optimizer updates of the run; 0 or less: none.</param>
/// <param name="Epochs">Epochs that the run goes through, the last perhaps not to its end.</param>
internal sealed record TrainingPlan(long BatchesPerEpoch, long UpdatesPerEpoch, long TotalSteps, long Epochs)
{
    private int Accumulation { get; init; } = 1;

    /// <summary>The sizes of the epochs where batches are made by tokens; null where they are made by rows, and all epochs are alike.</summary>
    internal EpochSizes? Sizes { get; init; }

    /// <summary>Batches of an epoch, from 0.</summary>
    internal long BatchesIn(long epoch) => Sizes?.BatchesIn(epoch) ?? BatchesPerEpoch;

    /// <summary>Optimizer updates of an epoch, from 0.</summary>
    internal long UpdatesIn(long epoch) => Sizes is null ? UpdatesPerEpoch : (Sizes.BatchesIn(epoch) - 1) / Accumulation + 1;

    /// <summary>The plan for the batches of a training set, those of <see cref="Samplers.Batches"/>.</summary>
    /// <exception cref="AttuneException">There is no batch.</exception>
    internal static TrainingPlan Of(TrainingArguments args, DataLoader loader)
    {
        if (loader.MaxTokens is null) return Of(args, loader.Sampler.Rows);
        var sizes = new EpochSizes(loader, args.GradientAccumulationSteps);
        var plan = new TrainingPlan(sizes.BatchesIn(0), 0, args.MaxSteps, 0) { Sizes = sizes, Accumulation = args.GradientAccumulationSteps };
        plan = plan with { UpdatesPerEpoch = plan.UpdatesIn(0) };
        return args.MaxSteps switch
        {
            > 0 => plan with { Epochs = plan.PlaceAfter(args.MaxSteps - 1).Epoch + 1 },
            0 => plan with { Epochs = (long)Math.Ceiling(args.NumTrainEpochs) },
            _ => plan with { TotalSteps = plan.UpdatesOf(args.NumTrainEpochs), Epochs = (long)Math.Ceiling(args.NumTrainEpochs) },
        };
    }

    /// <summary>The same for batches of so many rows each.</summary>
    /// <exception cref="AttuneException">The batch size is impossible, or there is no batch.</exception>
    internal static TrainingPlan Of(TrainingArguments args, int rows)
    {
        Require(args, rows);
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

    /// <summary>Updates that so many epochs have, rounded up.</summary>
    internal long UpdatesOf(double epochs)
    {
        if (Sizes is null || epochs <= 0) return (long)Math.Ceiling(epochs * UpdatesPerEpoch);
        var (whole, updates) = ((long)epochs, 0L);
        for (var epoch = 0L; epoch < whole; epoch++) updates += UpdatesIn(epoch);
        return epochs > whole ? updates + (long)Math.Ceiling((epochs - whole) * UpdatesIn(whole)) : updates;
    }

    /// <summary>The epoch that comes after so many updates, from 0, and how many of them are in it.</summary>
    internal (long Epoch, long Updates) PlaceAfter(long updates)
    {
        if (Sizes is null) return (updates / UpdatesPerEpoch, updates % UpdatesPerEpoch);
        var epoch = 0L;
        for (; updates > 0 && updates >= UpdatesIn(epoch); epoch++) updates -= UpdatesIn(epoch);
        return (epoch, updates);
    }

    /// <summary>Epochs that the run has, the last perhaps not whole.</summary>
    internal double EpochsOfRun
    {
        get
        {
            var (epoch, updates) = PlaceAfter(TotalSteps);
            return updates == 0 ? epoch : epoch + updates / (double)UpdatesIn(epoch);
        }
    }

    /// <summary>Updates before the first that is averaged.</summary>
    /// <param name="start">As <c>swa_start</c>: a share of the run, or a number of epochs.</param>
    /// <exception cref="AttuneException">The run ends before.</exception>
    internal long AveragingStart(double start)
    {
        var updates = start < 1 ? Share(start) : Math.Min(UpdatesOf(start), TotalSteps);
        return updates < TotalSteps || TotalSteps < 1 ? updates : throw new AttuneException(FormattableString.Invariant(
            $"swa_start is {start}, but the run has {TotalSteps} updates, {UpdatesPerEpoch} an epoch, so nothing would be averaged; lower it."));
    }

    private long Share(double ratio) => (long)Math.Ceiling(TotalSteps * ratio);

    /// <summary>Refuses what no batch can be made of.</summary>
    /// <exception cref="AttuneException">A batch or an update is to have none of what it is made of, or there are no rows.</exception>
    internal static void Require(TrainingArguments args, int rows)
    {
        RequirePositive("per_device_train_batch_size", args.PerDeviceTrainBatchSize);
        RequirePositive("gradient_accumulation_steps", args.GradientAccumulationSteps);
        if (rows == 0) throw new AttuneException("The training set has no rows; choose another file or split.");
    }

    private static void RequirePositive(string name, int value)
    {
        if (value < 1) throw new AttuneException($"{name} is {value}; it must be at least 1.");
    }
}
