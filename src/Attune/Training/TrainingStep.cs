using Attune.Batching;
using Attune.Checkpoints;
using Attune.Distributed;
using Attune.Models;
using Attune.Native;
using Attune.Optimization;
using Attune.Profiling;

namespace Attune.Training;

/// <summary>One optimizer update: batches to gradients to weights.</summary>
internal sealed class TrainingStep : IDisposable
{
    /// <summary>Updates in a row that may be skipped.</summary>
    private const int MostSkipped = 3;

    private const int RowsShown = 10;

    private readonly TrainingTask _task;
    private readonly PreTrainedModel _model;
    private readonly TokenizedDataset _data;
    private readonly TrainingArguments _args;
    private readonly CallbackList _callbacks;
    private readonly TrainerState _state;
    private readonly RowGradients _gradient;
    private readonly Action<string> _notice;
    private readonly long _weightsOutsideEmbeddings;
    private readonly MemoryReserve _reserve = new();
    private readonly GradientExchange? _exchange;                          // null where there is one process
    private readonly RunningLoss _loss = new();
    private LateUpdate? _late;                                             // the last update, where it has not been looked at what came of it

    internal TrainingStep(
        TrainingTask task, TokenizedDataset data, TrainingArguments args, TrainingPlan plan, CallbackList callbacks, TrainerState state,
        FrozenCache? frozen = null, Action<string>? notice = null, Communicator? processes = null)
    {
        var model = task.Model;
        (_task, _model, _data, _args, _callbacks, _state, _notice) = (task, model, data, args, callbacks, state, notice ?? (_ => { }));
        _gradient = task.Gradients(data, args, frozen, new RowShares(processes ?? Communicator.Single, data, byTokens: args.TokensPerBatch is not null), _notice);
        _model.Precision = args.TrainingPrecision;
        if (args.Fp16) Scale = new LossScale(args.FirstLossScale, args.LossScaleInterval);
        model.Encoder.NoiseAlpha = args.NeftuneNoiseAlpha ?? model.Encoder.NoiseAlpha;
        var rateFactorOf = RateGroups.Of(args, model);
        Rate = new LearningRate(args, plan);
        Optimizer = Optimizers.Create(args, model.Weights, rateFactorOf, plan.WarmupSteps(args),
            args.ZeroStage > 0 && processes is { Size: > 1 } ? (processes.Rank, processes.Size) : null);
        Averaged = Optimizers.Averaged(args, Optimizer, plan);
        Pull = args.DecayToPretrained > 0 ? new PretrainedPull(model, args.DecayToPretrained, rateFactorOf) : null;
        if (Pull is not null && model.LoadReport.Source is null)
            _notice("decay_to_pretrained: the model's weights were not read from a file, so it decays towards those that training begins with.");
        Optimizer.ZeroGrad();                                             // of what the caller, or a run that failed, has left
        _weightsOutsideEmbeddings = model.Weights.All
            .Where(weight => !weight.Name.EndsWith("_embeddings.weight", StringComparison.Ordinal))
            .Sum(weight => weight.NumberOfElements);
        _exchange = processes is null ? null : GradientExchange.Of(processes, model, Optimizer.Trained, _notice);
    }

    internal Optimizer Optimizer { get; }

    /// <summary>How long this process has waited for gradients and weights of the others; null where there are none.</summary>
    internal TimeSpan? WaitedForOthers => _exchange?.Waited;

    /// <summary>Rows of a batch over all processes; null where tokens make it.</summary>
    internal int? RowsPerBatch => _args.TokensPerBatch is null ? _args.RowsPerBatch : null;

    /// <summary>Most tokens of a batch over all processes; null where rows make it.</summary>
    internal long? TokensPerBatch => _args.TokensPerBatch;

    /// <summary>What is evaluated and saved in place of the weights that are trained; null where these are.</summary>
    internal AveragedWeights? Averaged { get; }

    internal LearningRate Rate { get; }

    internal RunningLoss Loss
    {
        get
        {
            Settle();
            return _loss;
        }
    }

    /// <summary>The factor of the loss in float16; null in other types.</summary>
    internal LossScale? Scale { get; }

    /// <summary>The decay towards the weights that training began with; null for none.</summary>
    internal PretrainedPull? Pull { get; }

    /// <summary>How batches are cut to fit into the memory. Default: not at all.</summary>
    internal MicroBatches MicroBatches { get; set; } = MicroBatches.Whole;

    /// <summary>Length of the last gradient before clipping; null where it is not clipped.</summary>
    internal double? GradNorm
    {
        get
        {
            Settle();
            return field;
        }
        set;
    }

    /// <summary>Updates skipped since the last one that was made, because loss or gradient was not a number.</summary>
    internal int SkippedInARow
    {
        get
        {
            Settle();
            return field;
        }
        set;
    }

    /// <summary>Whether that was once too often.</summary>
    internal bool HasGivenUp { get; private set; }

    /// <summary>Makes the update. One whose loss or gradient is not a number is counted and changes nothing else.</summary>
    /// <param name="batches">Rows of each of its batches.</param>
    /// <exception cref="AttuneException">That has happened too often in a row; the weights are as before.</exception>
    internal StepResult Run(int[][] batches)
    {
        using var update = Profiler.Measure("update");
        _callbacks.StepBegin(_state);
        (_model.Training, _model.DropoutKey) = (true, (unchecked((ulong)_args.Seed), _state.GlobalStep));
        var found = GradientsThatFit(batches);
        if (_exchange is not null) found = _exchange.Sum(found);
        if (MayDecideLate && Array.TrueForAll(found, loss => loss.OnDevice is not null)) return RunLate(found, batches);
        var losses = Array.ConvertAll(found, loss => loss.Value);
        foreach (var loss in found) loss.OnDevice?.Dispose();
        var before = GradNorm;
        var clip = ClipFactor(out var isFinite);
        // In float16 overflows are common, and a smaller scale mends them: no update is made of them, as in PyTorch.
        var isSound = MakesEveryUpdate && (isFinite || Scale is null) || isFinite && losses.All(double.IsFinite);
        var rate = NextRate;
        if (!isSound)
        {
            GradNorm = before;                                            // a log shows the last one that was a number
            try
            {
                Skip(losses, batches, _state.GlobalStep, rate);
            }
            finally
            {
                Optimizer.ZeroGrad();
            }
        }
        CountFlos(batches);
        foreach (var loss in losses) Loss.Add(loss, _state.GlobalStep, _args.LoggingNanInfFilter ?? true);
        Optimizer.LearningRate = rate;
        if (isSound) Update(clip);
        _state.GlobalStep++;
        return new StepResult(losses, batches, Tokens(batches), GradNorm, Optimizer.LearningRate);
    }

    public void Dispose()
    {
        _exchange?.Dispose();
        _reserve.Dispose();
        Pull?.Dispose();
        Averaged?.Dispose();
        Optimizer.Dispose();
    }

    /// <summary>Whether a device may decide by itself if an update is made. float16 needs to know at once what becomes of its scale, and so do averages and those who look closely.</summary>
    private bool MayDecideLate =>
        Optimizer is FusedAdamW && Scale is null && Pull is null && Averaged is null && _args.Debug.Count == 0 && _args.ClipGradValue is null && !MakesEveryUpdate;

    /// <summary>Lets the device make the update, or skip it. What came of it is looked at when the gradients of the next one are on their way, or when somebody asks.</summary>
    private StepResult RunLate(BatchLoss[] losses, int[][] batches)
    {
        Settle();
        Optimizer.LearningRate = NextRate;
        _callbacks.PreOptimizerStep(_state);
        using (Profiler.Measure("optimizer"))
        {
            var numbers = ((FusedAdamW)Optimizer).StepWhereFinite(Array.ConvertAll(losses, loss => loss.OnDevice!), _args.MaxGradNorm is > 0 and var most ? most : null);
            _exchange?.CollectWeights();
            _late = new LateUpdate(new LateNumbers(numbers), batches, _state.GlobalStep);
        }
        _callbacks.OptimizerStep(_state);
        Optimizer.ZeroGrad();
        CountFlos(batches);
        _state.GlobalStep++;
        return new StepResult(_late, batches, Tokens(batches), null, Optimizer.LearningRate) { Late = _late };
    }

    /// <summary>Looks at what came of the last update.</summary>
    private void Settle()
    {
        if (_late is not { } late) return;
        _late = null;
        foreach (var loss in late) _loss.Add(loss, late.Update, _args.LoggingNanInfFilter ?? true);
        if (late.IsMade)
        {
            (SkippedInARow, GradNorm) = (0, late.GradNorm);
            return;
        }
        ((FusedAdamW)Optimizer).TakeBack();
        Skip([.. late], late.Batches, late.Update, Optimizer.LearningRate);
    }

    private void CountFlos(int[][] batches)
    {
        foreach (var batch in batches) _state.TotalFlos += 6.0 * _data.PaddedTokens(batch) * _weightsOutsideEmbeddings;
    }

    private long Tokens(int[][] batches) => batches.Sum(batch => batch.Sum(row => (long)_data.Rows[row].Length));

    private void Update(double clip)
    {
        SkippedInARow = 0;
        if (Scale is { } scale && scale.CountMade()) _notice($"The loss scale of fp16 grows to {scale.Value}.");
        _callbacks.PreOptimizerStep(_state);
        using var time = Profiler.Measure("optimizer");
        Pull?.Apply(Optimizer.LearningRate);
        Optimizer.Step(clip);
        _exchange?.CollectWeights();
        Averaged?.Follow(_state.GlobalStep + 1);
        _callbacks.OptimizerStep(_state);
        Optimizer.ZeroGrad();
    }

    /// <summary>The gradients of all batches; where memory runs out they are computed again in smaller parts, with the same result to rounding.</summary>
    private BatchLoss[] GradientsThatFit(int[][] batches)
    {
        while (true)
        {
            try
            {
                return Gradients(batches);
            }
            catch (Exception e) when (_gradient.CanRepeat && _exchange is not { HasBegun: true } && LibTorch.IsOutOfMemory(e) && MicroBatches.Halved(MostRows(batches)) is not null)
            {
                MicroBatches = MicroBatches.Halved(MostRows(batches))!;
            }
            _exchange?.Unfollow();
            Optimizer.ZeroGrad();
            _reserve.Collect();                                            // tensors that the failed pass has left
            _notice($"Memory ran out in update {_state.GlobalStep + 1}: from here on at most {MicroBatches.MostRows} rows of a batch " +
                "go through the model at a time; batches and result stay the same.");
        }
    }

    /// <summary>Most rows that a batch of this process may have.</summary>
    private int MostRows(int[][] batches) => _args.TokensPerBatch is null ? _args.PerDeviceTrainBatchSize : batches.Max(rows => rows.Length);

    private BatchLoss[] Gradients(int[][] batches)
    {
        var (losses, rows, scale) = (new BatchLoss[batches.Length], 0, Scale?.Value ?? 1);
        // Batches of rows count alike, as in transformers. Those made by tokens have very different numbers of rows: there each row counts alike.
        var all = _args.TokensPerBatch is null ? (int?)null : batches.Sum(batch => batch.Length);
        for (var i = 0; i < batches.Length; i++)
        {
            _gradient.LastBackward = i == batches.Length - 1 && _exchange is { } exchange ? exchange.Follow : null;
            losses[i] = _gradient.Add(batches[i], firstRowNumber: rows, share: all is { } count ? scale * batches[i].Length / count : scale / batches.Length, MicroBatches) / scale;
            rows += batches[i].Length;
            if (i < batches.Length - 1) _callbacks.SubstepEnd(_state);
        }
        return losses;
    }

    /// <summary>Cuts the gradients by value; gives the factor by which their length is clipped.</summary>
    /// <param name="isFinite">Whether they are numbers, as far as their length is computed: without clipping and debug they are not looked at.</param>
    private double ClipFactor(out bool isFinite)
    {
        isFinite = true;
        var isByLength = _args.MaxGradNorm > 0;
        if (_args.ClipGradValue is null && !isByLength && _args.Debug.Count == 0 && Scale is null) return 1;
        using var time = Profiler.Measure("clipping");
        Scale?.Unscale(_model.Weights);
        // Before infinite ones become the largest allowed.
        if (_args.ClipGradValue is not null || !isByLength) isFinite = double.IsFinite(Norm());
        if (_args.ClipGradValue is { } most && (isFinite || MakesEveryUpdate)) GradientRange.Clip(_model.Weights, most);
        if (!isByLength) return 1;
        var norm = Norm();
        GradNorm = norm;
        isFinite &= double.IsFinite(norm);
        return GradientNorm.ClipFactor(norm, _args.MaxGradNorm!.Value);
    }

    private double Norm() => _exchange?.Norm() ?? GradientNorm.Compute(_model.Weights);

    /// <summary>Where logging_nan_inf_filter is given, the user wants to go on in any case, as transformers does.</summary>
    private bool MakesEveryUpdate => _args is { LoggingNanInfFilter: not null, Debug.Count: 0 };

    /// <summary>The rate of the update that is being made. As in transformers those that fp16 has skipped do not count.</summary>
    private double NextRate => Rate.After(_state.GlobalStep - (Scale?.State.Skipped ?? 0));

    private string SearchOverflow(double[] losses, int[][] batches)
    {
        var batch = Array.FindIndex(losses, loss => !double.IsFinite(loss));
        var (lines, found) = _task.SearchOverflow(_data, batches[Math.Max(0, batch)], MicroBatches);
        foreach (var line in lines) _notice(line);
        return found;
    }

    /// <summary>Leaves the weights as they are, and stops where that does not help.</summary>
    private void Skip(double[] losses, int[][] batches, long update, double rate)
    {
        var isLossFinite = losses.All(double.IsFinite);
        var isOfScale = Scale is { IsSmallest: false } && isLossFinite;
        var overflow = _args.Debug.Contains(Measuring.UnderflowOverflow) && !isOfScale ? SearchOverflow(losses, batches) : null;
        var rows = batches.Where((_, i) => isLossFinite || !double.IsFinite(losses[i])).SelectMany(batch => batch).ToList();
        var shown = string.Join(", ", rows.Take(RowsShown)) + (rows.Count > RowsShown ? $" and {rows.Count - RowsShown} more" : "");
        var what = $"The {(isLossFinite ? "gradient" : "loss")} of update {update + 1} is not a finite number (training rows {shown}, counted from 0; " +
            $"learning rate {rate:g4})";
        HasGivenUp = overflow is not null || (Scale is null ? SkippedInARow == MostSkipped : SkippedInARow == LossScale.MostSkipped || Scale.IsSmallest);
        if (overflow is not null) throw new AttuneException($"{what}: {overflow}; debug underflow_overflow stops training here.");
        if (HasGivenUp && Scale is not null)
            throw new AttuneException($"{what}, with a loss scale of only {Scale.Value} and after {SkippedInARow} updates that were skipped, so training stopped; leave out fp16, lower learning_rate or look at these rows.");
        if (HasGivenUp)
            throw new AttuneException($"{what}, and so it was {MostSkipped} updates before, so training stopped; lower learning_rate or look at these rows.");
        SkippedInARow++;
        Scale?.CountSkipped();
        _notice($"{what}, so it is skipped: the weights stay as they are{(Scale is null ? "" : $", and the loss scale of fp16 falls to {Scale.Value}")}.");
    }
}
