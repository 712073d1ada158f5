using System.Diagnostics;
using System.Globalization;
using Attune.Batching;
using Attune.Checkpoints;
using Attune.Models;
using Attune.Profiling;

namespace Attune.Training;

/// <summary>One call of <see cref="Trainer.Train"/>: epochs and updates, and what is done between them.</summary>
internal sealed class TrainingRun : IDisposable
{
    private readonly Trainer _trainer;
    private readonly TrainingArguments _args;
    private readonly CallbackList _callbacks;
    private readonly TrainerControl _control;
    private readonly CancellationToken _cancellation;
    private readonly RunAgreement _agreement;
    private readonly TrainingPlan _plan;
    private readonly DataLoader _loader;
    private readonly TrainerState _state;
    private readonly TrainingStep _step;
    private readonly CheckpointWriter _writer;
    private readonly FrozenCache _frozen;
    private readonly RunPosition _position;
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly (bool Training, Precision Precision, double Noise) _modelBefore;
    private string? _lastCheckpoint;
    private string? _held;                                                 // the checkpoint that holds the newest state so far
    private string? _bestBefore;                                           // the best checkpoint before the one that is being written
    private int _failedSaves;

    /// <summary>Plans the run and, with a checkpoint, brings everything to where it was.</summary>
    internal TrainingRun(Trainer trainer, TokenizedDataset data, string? resumeFrom, CancellationToken cancellation)
    {
        (_trainer, _callbacks, _control, _cancellation) = (trainer, trainer.Callbacks, trainer.Callbacks.Control, cancellation);
        _agreement = new RunAgreement(trainer, cancellation);
        _modelBefore = (trainer.Model.Training, trainer.Model.Precision, trainer.Model.Encoder.NoiseAlpha);
        var checkpoint = resumeFrom is null ? null : TrainingCheckpoint.Read(resumeFrom);
        _args = checkpoint?.ArgumentsFor(trainer) ?? trainer.Args;
        _loader = Samplers.Batches(_args, data, trainer.Task.Order(_args, data));
        _plan = TrainingPlan.Of(_args, _loader);
        _state = checkpoint?.State ?? new TrainerState { Epoch = 0, MaxSteps = _plan.TotalSteps };
        if (checkpoint is null) _state.ComputeSteps(_args.LoggingSteps, _args.EvalSteps, _args.SaveSteps);
        _frozen = trainer.Frozen = new FrozenCache(trainer);
        try
        {
            _step = new TrainingStep(trainer.Task, data, _args, _plan, _callbacks, _state, _frozen, trainer.Notice, trainer.Processes);
            trainer.Averaged = _step.Averaged;
            _writer = new CheckpointWriter(trainer, _step.Optimizer, _step.Averaged);
            _frozen.Plan(data, _args, _plan, _writer.Bytes);
            _position = checkpoint?.Restore(trainer, _args, _plan, _step) ?? new RunPosition();
            if (_args.AutoFindBatchSize && trainer.Model.Weights.OnDevice is null)     // a card says by itself when its memory is full, and the batch is cut then
                _step.MicroBatches = MicroBatches.Fitting(trainer.Task, data, _args, trainer.FreeMemoryBytes, trainer.Notice);
            _agreement.RequireSame(_plan, _state);
        }
        catch
        {
            Dispose();
            throw;
        }
        var place = CheckpointFiles.Folder(_args.OutputDir, _state.GlobalStep);
        if (resumeFrom is not null && Path.GetFullPath(resumeFrom) == Path.GetFullPath(place)) _held = place;
        (_state.MaxSteps, _state.NumTrainEpochs) = (_plan.TotalSteps, _plan.Epochs);
        _state.TrainBatchSize = _args.TokensPerBatch is null ? _args.PerDeviceTrainBatchSize : null;
        trainer.State = _state;
    }

    public void Dispose()
    {
        _writer?.Dispose();                                                // neither is there where the step could not be made
        _step?.Dispose();
        _frozen.Dispose();
        (_trainer.Frozen, _trainer.Averaged) = (null, null);
        (_trainer.Model.Training, _trainer.Model.Precision, _trainer.Model.Encoder.NoiseAlpha) = _modelBefore;
    }

    internal TrainOutput Run()
    {
        if (_args.SaveStrategy != SaveStrategy.No && _trainer.Processes.IsFirst) Checkpoint.RequireSpace(_args.OutputDir, _writer.Bytes);
        _callbacks.TrainBegin(_state);
        try
        {
            _frozen.Open(_cancellation);
            FinishInterrupted();
            var isOver = _control.ShouldTrainingStop;                      // by what was made up for; the evaluation on start ends nothing
            if (_args.EvalOnStart && _state.GlobalStep == 0) _trainer.Evaluate(cancellation: _cancellation);
            while (!isOver && _position.Epoch < _plan.Epochs && _state.GlobalStep < _plan.TotalSteps)
            {
                Epoch();
                if (_control.ShouldTrainingStop) break;
                _position.NextEpoch();
            }
        }
        catch (OperationCanceledException) when (_cancellation.IsCancellationRequested || _trainer.Processes.Size > 1)
        {
            SaveWhereItStands();
            _step.Averaged?.Keep();
            return End(isInterrupted: true);
        }
        catch (AttuneException e) when (_step.HasGivenUp)
        {
            SaveWhereItStands();
            throw new AttuneException($"{e.Message.TrimEnd('.')}. {_held} holds the state before.", e);
        }
        FinishSave(wait: true);
        _step.Averaged?.Keep();                                            // what was evaluated and saved, and no longer exchanged
        if (_args.Soup > 0) _trainer.Notice(ModelSoup.Cook(_trainer, _state));
        else if (_args.LoadBestModelAtEnd) LoadBest();
        return End(isInterrupted: false);
    }

    /// <summary>A best checkpoint that is gone or damaged must not cost the run the model that it has.</summary>
    private void LoadBest()
    {
        // Only the first process knows which checkpoints came to be.
        if (!SharedFiles.Decide(_trainer.Processes, () => _state.BestModelCheckpoint is not null))
        {
            _trainer.Notice("There is no best checkpoint to load: no evaluation was made, or its folder is gone; the model is that of the last update.");
            return;
        }
        try
        {
            using var time = Profiler.Measure("loading");
            SharedFiles.LoadWeights(_trainer, _state.BestModelCheckpoint ?? "");
        }
        catch (AttuneException e)
        {
            _trainer.Notice($"The best checkpoint cannot be loaded, so the model is that of the last update: {e.Message}");
        }
    }

    private void Epoch()
    {
        _callbacks.EpochBegin(_state);
        foreach (var batches in _loader.RowsOfUpdates(checked((int)_position.Epoch), _args.GradientAccumulationSteps).Skip((int)_position.Updates))
        {
            var begun = _watch.Elapsed;
            var step = _step.Run(batches);
            Advance(batches);
            _callbacks.StepEnd(_state, step);
            _agreement.AfterUpdate(_state, _control, _watch.Elapsed - begun);
            FinishSave(wait: false);
            LogEvaluateSave();
            if (_control.ShouldEpochStop || _control.ShouldTrainingStop) break;
            _agreement.ThrowIfStopped();
        }
        if (_plan.BatchesPerEpoch == 0) _control.ShouldTrainingStop = true;
        EndEpoch();
    }

    private void EndEpoch()
    {
        _position.IsEpochEnded = true;
        _callbacks.EpochEnd(_state);
        LogEvaluateSave();
        if (!_control.ShouldTrainingStop) _agreement.ThrowIfStopped();      // else training is over anyway, and complete
    }

    private void Advance(int[][] batches)
    {
        _position.Updates++;
        _position.RowsTrained += batches.Sum(rows => rows.Length);
        CountTokens(batches);
        var ofEpoch = _plan.BatchesIn(_position.Epoch);
        _state.Epoch = _position.Epoch + Math.Min(_position.Updates * _args.GradientAccumulationSteps, ofEpoch) / (double)ofEpoch;
    }

    private void CountTokens(int[][] batches)
    {
        var data = _trainer.TrainDataset!;
        var padded = batches.Sum(rows => data.PaddedTokens(rows));
        _position.TokensTrained += padded;
        _state.NumInputTokensSeen += Measuring.TokensSeen(_args) switch
        {
            CountedTokens.All => padded,
            CountedTokens.NonPadding => batches.Sum(rows => rows.Sum(row => (long)data.Rows[row].Length)),
            _ => 0,
        };
    }

    /// <summary>What followed the last update of a resumed run and had not been done when its checkpoint was written.</summary>
    private void FinishInterrupted()
    {
        if (_state.GlobalStep == 0) return;
        if (_position.IsEvaluationDue)
        {
            _control.ShouldEvaluate = true;
            LogEvaluateSave();
            _position.IsEvaluationDue = false;
        }
        if (_position.IsTrainingStopped) _control.ShouldTrainingStop = true;
        var isCut = _control.ShouldTrainingStop || _position.IsEpochStopped;
        if (_position.Updates < _plan.UpdatesIn(_position.Epoch) && !_position.IsEpochEnded && !isCut && _state.GlobalStep < _plan.TotalSteps) return;
        // transformers goes straight to the next epoch here, and leaves out what was due at the end of this one.
        var isSomethingDue = isCut || _args.LoggingStrategy == IntervalStrategy.Epoch || _args.EvalStrategy == IntervalStrategy.Epoch;
        if (isSomethingDue && !_position.IsEpochEnded) EndEpoch();
        _position.NextEpoch();
    }

    private void LogEvaluateSave()
    {
        if (_control.ShouldLog && _state.GlobalStep > _step.Loss.LastLoggedStep) LogLoss();
        if (_control.ShouldEvaluate) Evaluate();
        if (_control.ShouldSave) Save();
    }

    private void LogLoss()
    {
        var logs = new OrderedDictionary<string, double> { ["loss"] = Math.Round(_step.Loss.Take(_state.GlobalStep), 4) };
        if (_step.GradNorm is { } norm) logs["grad_norm"] = norm;
        logs["learning_rate"] = _step.Optimizer.LearningRate;
        if (Measuring.TokensSeen(_args) != CountedTokens.None) SpeedMetrics.AddTokens(logs, "train", Seconds, _state.NumInputTokensSeen);
        _trainer.Log(logs);
    }

    private void Evaluate()
    {
        var metrics = _trainer.Evaluate(cancellation: _cancellation);
        _step.Rate.Follow(metrics);
        var isBest = BestModel.Update(_args, _state, metrics);
        // Saved even between two due checkpoints: what is reported as the best must be what is loaded.
        if (isBest && (_args.SaveStrategy == SaveStrategy.Best || _args.LoadBestModelAtEnd)) _control.ShouldSave = true;
        if (ModelSoup.Best(_args, _state).Any(evaluation => evaluation.Step == _state.GlobalStep)) _control.ShouldSave = true;
    }

    private void Save()
    {
        using var time = Profiler.Measure("saving");
        FinishSave(wait: true);
        _bestBefore = _state.BestModelCheckpoint;
        if (_state.BestGlobalStep is > 0 and var best)
        {
            var folder = CheckpointFiles.Folder(_args.OutputDir, best);
            if (best == _state.GlobalStep || Directory.Exists(folder)) _state.BestModelCheckpoint = folder;
        }
        _state.StatefulCallbacks = _callbacks.ExportState();
        var isLast = _control.ShouldTrainingStop || _cancellation.IsCancellationRequested || _state.GlobalStep >= _plan.TotalSteps;
        using (var shared = _args.SaveOnlyModel ? null : SharedState.Collect(_trainer.Processes, _step.Optimizer))
            if (_trainer.Processes.IsFirst) _writer.Begin(_state, TrainingCheckpoint.StateOf(_trainer, _plan, _step, _position, Seconds), isLast, shared);
        _control.ShouldSave = false;
        FinishSave(wait: false);
        SharedFiles.WaitForAll(_trainer.Processes);
    }

    /// <summary>Deals with the checkpoint that was begun last, when it is written. One that failed is no reason to lose the run; three in a row are.</summary>
    private void FinishSave(bool wait)
    {
        const int mostFailures = 3;
        if (_writer.Finished(wait) is not { } written) return;
        if (written.Notice is { } notice) _trainer.Notice(notice);
        if (written.Error is null)
        {
            (_failedSaves, _lastCheckpoint, _held) = (0, written.Folder, written.Folder);
            _callbacks.Save(written.State);
            return;
        }
        if (_state.BestModelCheckpoint == written.Folder) _state.BestModelCheckpoint = _bestBefore;
        if (++_failedSaves == mostFailures)
            throw new AttuneException($"{mostFailures} checkpoints in a row could not be written, so training stopped: {written.Error.Message}", written.Error);
        var isBest = _args.LoadBestModelAtEnd && _state.BestGlobalStep == written.State.GlobalStep;
        _trainer.Notice($"Training goes on without a checkpoint of update {written.State.GlobalStep}{(isBest ? ", the best so far, which cannot be loaded at the end" : "")}: " +
            written.Error.Message);
    }

    /// <summary>The last thing that a run does which does not come to its end: what cannot be written now is lost.</summary>
    private void SaveWhereItStands()
    {
        _failedSaves = 0;                                                  // what failed before must not keep this one from being tried
        FinishSave(wait: true);
        if (_state.GlobalStep == 0 || SharedFiles.Decide(_trainer.Processes, () => _held == CheckpointFiles.Folder(_args.OutputDir, _state.GlobalStep))) return;
        (_failedSaves, var before) = (0, _held);
        Save();
        FinishSave(wait: true);
        if (_failedSaves > 0)
            throw new AttuneException($"The state of update {_state.GlobalStep} is lost, because it cannot be written; " +
                (before is null ? "no earlier checkpoint was written." : $"{before} is the last one."));
    }

    private TrainOutput End(bool isInterrupted)
    {
        var metrics = new OrderedDictionary<string, double>();
        SpeedMetrics.Add(metrics, "train", Seconds, _position.RowsTrained, _state.GlobalStep);
        if (_args.IncludeTokensPerSecond) SpeedMetrics.AddTokens(metrics, "train", Seconds, _position.TokensTrained);
        metrics["total_flos"] = _state.TotalFlos;
        metrics["train_loss"] = _step.Loss.Mean(_state.GlobalStep);
        if (!isInterrupted) _trainer.Log(metrics);
        if (_step.WaitedForOthers is { } waited && _trainer.Processes.Busy is { TotalSeconds: > 0 } busy) _trainer.Notice(string.Create(CultureInfo.InvariantCulture,
            $"The processes exchanged gradients for {busy.TotalSeconds:0.0} s, of which training waited {waited.TotalSeconds:0.0} s."));
        _callbacks.TrainEnd(_state);
        using var process = Process.GetCurrentProcess();
        return new TrainOutput(_state.GlobalStep, metrics["train_loss"], metrics, isInterrupted)
        {
            PeakMemoryBytes = process.PeakWorkingSet64,
            Memory = TrainingMemory.Of(_trainer.Model, _step.Optimizer, _step.Averaged),
            LastCheckpoint = _lastCheckpoint,
        };
    }

    private double Seconds => _position.SecondsBefore + _watch.Elapsed.TotalSeconds;
}
