using Attune.Batching;
using Attune.Checkpoints;
using Attune.Models;
using Attune.Optimization;
using Attune.Profiling;

namespace Attune.Training;

/// <summary>One optimizer update: batches to gradients to weights.</summary>
internal sealed class TrainingStep : IDisposable
{
    private const int RowsShown = 10;

    private readonly BertForSequenceClassification _model;
    private readonly TokenizedDataset _data;
    private readonly TrainingArguments _args;
    private readonly CallbackList _callbacks;
    private readonly TrainerState _state;
    private readonly FrozenCache? _frozen;
    private readonly long _weightsOutsideEmbeddings;

    internal TrainingStep(
        BertForSequenceClassification model, TokenizedDataset data, TrainingArguments args, TrainingPlan plan, CallbackList callbacks, TrainerState state,
        FrozenCache? frozen = null)
    {
        (_model, _data, _args, _callbacks, _state, _frozen) = (model, data, args, callbacks, state, frozen);
        _model.Precision = args.Bf16 ? Precision.BFloat16 : Precision.Float32;
        Rate = new LearningRate(args, plan);
        Optimizer = Optimizers.Create(args, model.Weights);
        Optimizer.ZeroGrad();                                             // of what the caller, or a run that failed, has left
        _weightsOutsideEmbeddings = model.Weights.All
            .Where(weight => !weight.Name.EndsWith("_embeddings.weight", StringComparison.Ordinal))
            .Sum(weight => weight.NumberOfElements);
    }

    internal Optimizer Optimizer { get; }

    internal LearningRate Rate { get; }

    internal RunningLoss Loss { get; } = new();

    /// <summary>How batches are cut to fit into the memory. Default: not at all.</summary>
    internal MicroBatches MicroBatches { get; set; } = MicroBatches.Whole;

    /// <summary>Length of the last gradient before clipping; null where it is not clipped.</summary>
    internal double? GradNorm { get; set; }

    /// <summary>Makes the update.</summary>
    /// <param name="batches">Rows of each of its batches.</param>
    /// <exception cref="AttuneException">A loss or the gradient is not a number; the weights are as before.</exception>
    internal StepResult Run(int[][] batches)
    {
        using var update = Profiler.Measure("update");
        _callbacks.StepBegin(_state);
        (_model.Training, _model.DropoutKey) = (true, (unchecked((ulong)_args.Seed), _state.GlobalStep));
        var (losses, rows, tokens) = (new double[batches.Length], 0, 0L);
        for (var i = 0; i < batches.Length; i++)
        {
            losses[i] = ForwardBackward(batches[i], firstRowNumber: rows, share: 1.0 / batches.Length);
            Loss.Add(losses[i], _state.GlobalStep, _args.LoggingNanInfFilter == true);
            _state.TotalFlos += 6.0 * _data.PaddedTokens(batches[i]) * _weightsOutsideEmbeddings;
            (rows, tokens) = (rows + batches[i].Length, tokens + batches[i].Sum(row => (long)_data.Rows[row].Length));
            if (i < batches.Length - 1) _callbacks.SubstepEnd(_state);
        }
        var clip = ClipFactor();
        RequireNumbers(losses, batches);
        _callbacks.PreOptimizerStep(_state);
        Optimizer.LearningRate = Rate.After(_state.GlobalStep);
        using (Profiler.Measure("optimizer"))
        {
            Optimizer.Step(clip);
            _callbacks.OptimizerStep(_state);
            Optimizer.ZeroGrad();
        }
        _state.GlobalStep++;
        return new StepResult(losses, batches, tokens, GradNorm, Optimizer.LearningRate);
    }

    public void Dispose() => Optimizer.Dispose();

    private Batch Pack(int[] rows, int firstRowNumber)
    {
        using var time = Profiler.Measure("data");
        return _data.Batch(rows, firstRowNumber);
    }

    /// <summary>Takes a batch through the model, whole or in parts that count by their rows.</summary>
    private double ForwardBackward(int[] rows, int firstRowNumber, double share)
    {
        var loss = 0.0;
        var all = Counting(rows);
        foreach (var range in MicroBatches.Of(_data, rows))
        {
            var part = rows[range];
            var counting = Counting(part);
            if (counting == 0 && all > 0) continue;                       // every label is one to be left out
            loss += ForwardBackward(part, Pack(part, firstRowNumber + range.Start.Value), all == 0 ? share : share * ((double)counting / all));
        }
        return loss;
    }

    private int Counting(int[] rows)
    {
        var labels = _data.Labels!.Select(rows);
        return ClassificationLoss.Counting(labels, _model.Config.ProblemTypeFor(labels));
    }

    private double ForwardBackward(int[] rows, Batch batch, double share)
    {
        using var output = _model.Forward(batch, _args.LabelSmoothingFactor, _frozen?.Of(_data, rows, batch));
        output.Backward(share);
        return output.Loss!.Value * share;
    }

    private double ClipFactor()
    {
        if (_args.MaxGradNorm is not > 0) return 1;
        using var time = Profiler.Measure("clipping");
        var norm = GradientNorm.Compute(_model.Weights);
        GradNorm = norm;
        return GradientNorm.ClipFactor(norm, _args.MaxGradNorm.Value);
    }

    /// <summary>Stops before the weights are spoilt, unless logging_nan_inf_filter says that the user wants to go on.</summary>
    private void RequireNumbers(double[] losses, int[][] batches)
    {
        var isFinite = losses.All(double.IsFinite);
        if (_args.LoggingNanInfFilter is not null || isFinite && double.IsFinite(GradNorm ?? 0)) return;
        var rows = batches.Where((_, i) => isFinite || !double.IsFinite(losses[i])).SelectMany(batch => batch).ToList();
        var shown = string.Join(", ", rows.Take(RowsShown)) + (rows.Count > RowsShown ? $" and {rows.Count - RowsShown} more" : "");
        throw new AttuneException(
            $"The {(isFinite ? "gradient" : "loss")} of update {_state.GlobalStep + 1} is not a finite number (training rows {shown}, counted from 0; learning rate " +
            $"{Rate.After(_state.GlobalStep):g4}), so training stopped before the weights were changed; lower learning_rate or look at these rows.");
    }
}
