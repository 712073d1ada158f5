using System.Globalization;
using Attune.Checkpoints;

namespace Attune.Training;

/// <summary>What a checkpoint of a run holds, and how a run goes on from it: at the next row, with every sum and counter as it was.</summary>
internal sealed class TrainingCheckpoint
{
    private readonly string _folder;
    private readonly ResumeState? _exact;

    private TrainingCheckpoint(string folder) => (_folder, State, _exact) = (folder, TrainerStateJson.Read(folder), ResumeState.Read(folder));

    /// <summary>Where the run stood.</summary>
    internal TrainerState State { get; }

    /// <summary>Opens a checkpoint of Attune or of transformers.</summary>
    /// <exception cref="AttuneException">It is damaged.</exception>
    internal static TrainingCheckpoint Read(string folder) => new(folder);

    /// <summary>What a checkpoint of the present step must hold besides weights, optimizer and <c>trainer_state.json</c>.</summary>
    internal static ResumeState StateOf(Trainer trainer, TrainingPlan plan, TrainingStep step, RunPosition position, double seconds) => new()
    {
        TrainRows = trainer.TrainDataset?.Fingerprint,
        Epoch = position.Epoch,
        UpdatesInEpoch = position.Updates,
        UpdatesPerEpoch = plan.UpdatesIn(position.Epoch),
        EpochEnded = position.IsEpochEnded,
        EpochStopped = trainer.Callbacks.Control.ShouldEpochStop || position.IsEpochStopped,
        TrainingStopped = position.IsTrainingStopped || trainer.Callbacks.Control.ShouldTrainingStop && trainer.State.GlobalStep < plan.TotalSteps,
        EvaluationDue = trainer.Callbacks.Control.ShouldEvaluate || position.IsEvaluationDue,
        LossSinceLog = step.Loss.SinceLog,
        LossLogged = step.Loss.Logged,
        LastLoggedStep = step.Loss.LastLoggedStep,
        LastGradNorm = step.GradNorm,
        LastLearningRate = step.Optimizer.LearningRate,
        SkippedInARow = step.SkippedInARow,
        LossScale = step.Scale?.State,
        RowsAtATime = step.MicroBatches.MostRows,
        StartWeights = step.Pull?.Fingerprint,
        TrainSeconds = seconds,
        RowsTrained = position.RowsTrained,
        TokensTrained = position.TokensTrained,
        RowsPerBatch = trainer.Args.WorldSize > 1 || step.RowsPerBatch != trainer.State.TrainBatchSize ? step.RowsPerBatch : null,
        TokensPerBatch = step.TokensPerBatch,
        Plateau = step.Rate.State,
    };

    /// <summary>The run's arguments with the batch size of the checkpoint, as in transformers: only so does it go on at the same row.</summary>
    internal TrainingArguments ArgumentsFor(Trainer trainer)
    {
        var args = trainer.Args;
        if (_exact?.TokensPerBatch is { } tokens)
        {
            if (tokens == args.TokensPerBatch) return args;
            trainer.Notice(string.Create(CultureInfo.InvariantCulture, $"Batches stay of at most {tokens:N0} tokens, as in the checkpoint, so that training goes on at the same row."));
            return args with { TokensOfCheckpoint = tokens };
        }
        if (State.TrainBatchSize is not { } size) return args;
        var (before, now) = (CheckpointManifest.EnvironmentOf(_folder)?.WorldSize ?? 1, args.WorldSize);
        var rows = _exact?.RowsPerBatch ?? size * before;
        if (rows == args.RowsPerBatch && args.MaxTokensPerBatch is null) return args;
        args = args with { MaxTokensPerBatch = null, RowsOfCheckpoint = rows };
        if (before != now)
        {
            var most = (rows + now - 1) / now;
            trainer.Notice($"The checkpoint was written by {before} process{(before == 1 ? "" : "es")} with batches of {rows} rows. They stay as they are, so that training goes on at the same row: " +
                $"{(rows % now == 0 ? "" : "at most ")}{most} rows for each of {now} process{(now == 1 ? "" : "es")}.");
            return args with { PerDeviceTrainBatchSize = most };
        }
        trainer.Notice($"per_device_train_batch_size stays {size}, as in the checkpoint, so that training goes on at the same row.");
        return args with { PerDeviceTrainBatchSize = size };
    }

    /// <summary>Brings model, optimizer, schedule, sums and callbacks to where they were.</summary>
    /// <exception cref="AttuneException">The run decays towards other weights than those that the model was loaded with.</exception>
    internal RunPosition Restore(Trainer trainer, TrainingArguments args, TrainingPlan plan, TrainingStep step)
    {
        if (step.Pull is { } pull && _exact?.StartWeights is { } start && pull.Fingerprint != start)
            throw new AttuneException($"decay_to_pretrained needs the weights that the run began with, and those of the model are others than when {_folder} was written; load the model anew from where the run began.");
        LoopCheckpoint.LoadWeights(trainer.Model, _folder);
        RestoreOptimizer(trainer, step);
        RestoreLossScale(trainer, step);
        if (args.RestoreCallbackStatesFromCheckpoint) trainer.Callbacks.RestoreState(State.StatefulCallbacks);
        FindBest(args);
        if (State.MaxSteps != plan.TotalSteps)
            trainer.Notice($"The run now has {plan.TotalSteps} updates in place of {State.MaxSteps}: from here on the learning rate is that of the new schedule.");
        NoticeIntervals(trainer, args, plan);
        if (_exact?.TrainRows is { } trained && trained != trainer.TrainDataset?.Fingerprint)
            trainer.Notice($"The training rows are not those that {_folder} was trained on; what was reported before, the best metric included, is of those.");
        if (CheckpointManifest.EnvironmentOf(_folder) is { } before && (RunEnvironment.Current with { WorldSize = args.WorldSize }).Differences(before) is { } differences)
            trainer.Notice($"Not as when the checkpoint was written: {differences}. The run goes on exactly to rounding, not to the bit.");
        if (_exact is not null && _exact.UpdatesPerEpoch != plan.UpdatesIn(_exact.Epoch))
            trainer.Notice($"An epoch now has {plan.UpdatesIn(_exact.Epoch)} updates in place of {_exact.UpdatesPerEpoch} (other rows or another " +
                "gradient_accumulation_steps), so the place in the data is only estimated.");
        step.Loss.LastLoggedStep = State.GlobalStep;
        if (_exact is not null)
        {
            (step.Loss.SinceLog, step.Loss.Logged, step.Loss.LastLoggedStep) = (_exact.LossSinceLog, _exact.LossLogged, _exact.LastLoggedStep);
            (step.GradNorm, step.Optimizer.LearningRate) = (_exact.LastGradNorm, _exact.LastLearningRate);
            step.Rate.State = _exact.Plateau;
            step.SkippedInARow = _exact.SkippedInARow;
            if (_exact.RowsAtATime is > 0 and var rows) step.MicroBatches = MicroBatches.AtMost(rows);
        }
        return Position(args, plan);
    }

    private void RestoreOptimizer(Trainer trainer, TrainingStep step)
    {
        var optimizer = step.Optimizer;
        if (optimizer.Trained.IsPart && _exact is null)
            throw new AttuneException($"{_folder} was written by transformers, whose optimizer cannot be shared out; leave out zero_stage until the first checkpoint of Attune.");
        try
        {
            if (OptimizerState.Read(optimizer, _folder, step.Averaged)) return;
            if (TorchOptimizer.Read(optimizer, _folder))
            {
                trainer.Notice($"{_folder} was written by transformers: its weights, optimizer and place in the data are taken; dropout draws other numbers than there.");
                return;
            }
        }
        catch (AttuneException e) when (_exact is null)
        {
            trainer.Notice($"{e.Message.TrimEnd('.')}; so the optimizer starts anew, and the run is not continued exactly.");
            return;
        }
        trainer.Notice($"{_folder} has no state of this optimizer: it starts anew, so the run is not continued exactly.");
    }

    private void RestoreLossScale(Trainer trainer, TrainingStep step)
    {
        if (step.Scale is not { } scale) return;
        var why = $"{_folder} has no loss scale of fp16";
        try
        {
            if ((_exact is null ? TorchLossScale.Read(_folder, State.GlobalStep) : _exact.LossScale) is { } state)
            {
                scale.State = state;
                return;
            }
        }
        catch (AttuneException e)
        {
            why = e.Message.TrimEnd('.');
        }
        trainer.Notice($"{why}; so it begins with {scale.Value}.");
    }

    private RunPosition Position(TrainingArguments args, TrainingPlan plan)
    {
        var known = _exact is not null && _exact.UpdatesPerEpoch == plan.UpdatesIn(_exact.Epoch) && !args.IgnoreDataSkip;
        var (epoch, updates) = plan.PlaceAfter(State.GlobalStep);
        return new RunPosition
        {
            Epoch = known ? _exact!.Epoch : epoch,
            Updates = known ? _exact!.UpdatesInEpoch : args.IgnoreDataSkip ? 0 : updates,
            // A run that ended within an epoch and is now given more updates goes on within it.
            IsEpochEnded = known && _exact!.EpochEnded &&
                (_exact.UpdatesInEpoch >= plan.UpdatesIn(_exact.Epoch) || _exact.EpochStopped || State.GlobalStep >= plan.TotalSteps),
            IsEvaluationDue = _exact?.EvaluationDue ?? false,
            IsEpochStopped = known && _exact!.EpochStopped,
            IsTrainingStopped = args.RestoreCallbackStatesFromCheckpoint && (_exact?.TrainingStopped ?? false),
            RowsTrained = _exact?.RowsTrained ?? 0,
            TokensTrained = _exact?.TokensTrained ?? 0,
            SecondsBefore = _exact?.TrainSeconds ?? 0,
        };
    }

    /// <summary>As in transformers the checkpoint's intervals stay in force; unlike there, only those that matter are spoken of.</summary>
    private void NoticeIntervals(Trainer trainer, TrainingArguments args, TrainingPlan plan)
    {
        var now = new TrainerState { MaxSteps = plan.TotalSteps };
        now.ComputeSteps(args.LoggingSteps, args.EvalSteps, args.SaveSteps);
        (string Name, bool Counts, long Then, long Now)[] intervals =
        [
            ("logging_steps", args.LoggingStrategy == IntervalStrategy.Steps, State.LoggingSteps, now.LoggingSteps),
            ("eval_steps", args.EvalStrategy == IntervalStrategy.Steps, State.EvalSteps, now.EvalSteps),
            ("save_steps", args.SaveStrategy == SaveStrategy.Steps, State.SaveSteps, now.SaveSteps),
        ];
        foreach (var (name, counts, then, wanted) in intervals)
            if (counts && then != wanted) trainer.Notice($"{name} stays {then}, as in the checkpoint, and not {wanted}.");
    }

    /// <summary>The best checkpoint is beside this one, also where the run's folder has been moved.</summary>
    private void FindBest(TrainingArguments args)
    {
        if (State.BestGlobalStep is not { } best || Directory.Exists(State.BestModelCheckpoint)) return;
        var moved = CheckpointFiles.Folder(args.OutputDir, best);
        State.BestModelCheckpoint = Directory.Exists(moved) ? moved : null;
    }
}
