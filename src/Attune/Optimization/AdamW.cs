using Attune.Kernels;
using Attune.Models;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Optimization;

/// <summary>
/// Adam with decoupled weight decay (Loshchilov and Hutter, 2019), as <c>torch.optim.AdamW</c>. Rows of the embeddings that an update gives no
/// gradient are updated when they are read next, with the same result.
/// </summary>
public sealed unsafe class AdamW : Optimizer
{
    private const int OperationsPerElement = 16;

    private readonly double _weightDecay;
    private readonly AdamWKernel.Settings _settings;
    private readonly Tensor _averages, _squares;
    private readonly Dictionary<Weight, DeferredRows> _deferred = [];

    /// <summary>Creates the optimizer with empty state.</summary>
    /// <param name="weights">The model's.</param>
    /// <param name="learningRate">Default 5e-5, as the Trainer's.</param>
    /// <param name="beta1">Decay of the gradients' average. Default 0.9.</param>
    /// <param name="beta2">Decay of their squares' average. Default 0.999.</param>
    /// <param name="epsilon">Added to the root of the squares. Default 1e-8.</param>
    /// <param name="weightDecay">Of the weights that decay. Default 0.</param>
    public AdamW(
        WeightStore weights, double learningRate = 5e-5, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, double weightDecay = 0)
        : this(weights, learningRate, beta1, beta2, epsilon, weightDecay, defersRows: true)
    {
    }

    internal AdamW(WeightStore weights, double learningRate, double beta1, double beta2, double epsilon, double weightDecay, bool defersRows)
        : base(weights, learningRate)
    {
        ArgumentNullException.ThrowIfNull(weights);
        _weightDecay = weightDecay;
        _settings = new(beta1, beta2, epsilon);
        _averages = NewState("exp_avg", Trained.Count);
        _squares = NewState("exp_avg_sq", Trained.Count);
        if (!defersRows || Trained.IsPart) return;                         // the others need every row after every step
        foreach (var table in Trained.All.Where(weight => weight.IsTable))
            table.Pending = _deferred[table] = new DeferredRows(table, Trained.Place(table), _averages, _squares, _settings);
    }

    internal override string Kind => "AdamW";

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (var (table, rows) in _deferred)
            if (table.Pending == rows) table.Pending = null;
        base.Dispose();
    }

    private protected override void FinishState()
    {
        foreach (var rows in _deferred.Values) rows.Finish();
    }

    private protected override bool Apply(double gradientFactor)
    {
        foreach (var run in Trained.Runs(which: weight => !IsDeferred(weight)))
            Update(run, StepWith(LearningRate * run.RateFactor, run.Decays ? _weightDecay : 0), (float)gradientFactor);
        foreach (var (table, rows) in _deferred)
            if (IsDeferred(table))
                rows.Update(table.RowsWithGradient!, StepWith(LearningRate * Trained.RateFactor(table), _weightDecay), (float)gradientFactor);
        return Rounds;
    }

    private bool IsDeferred(Weight weight) =>
        _deferred.TryGetValue(weight, out var rows) && weight.Pending == rows && weight.RowsWithGradient is not null;

    private AdamWKernel.Step StepWith(double rate, double weightDecay) => new(
        (float)(1 - rate * weightDecay),
        (float)(rate / (1 - Math.Pow(_settings.Beta1, StepCount))),
        (float)Math.Sqrt(1 - Math.Pow(_settings.Beta2, StepCount)));

    /// <summary>Whether layers compute with rounded weights: then these are written along with the weights, while they are at hand.</summary>
    private bool Rounds => !Trained.IsPart && Weights.Precision == Precision.BFloat16 && Weights.Rounded is not null;

    private void Update(TrainedWeights.Run run, AdamWKernel.Step step, float gradientFactor)
    {
        float* values = LibTorch.Floats(Weights.RawValues), gradients = LibTorch.Floats(Weights.RawGradients);
        float* averages = LibTorch.Floats(_averages), squares = LibTorch.Floats(_squares);
        var rounded = Rounds && run.Decays && !run.IsTable ? (ushort*)LibTorch.Floats(Weights.Rounded!) - Weights.RoundedFrom : null;
        CpuLoop.Stretches(run.Count, OperationsPerElement, (first, end) =>
        {
            long at = run.Offset + first, place = run.Place + first;
            AdamWKernel.Update(values + at, gradients + at, averages + place, squares + place, end - first,
                _settings, step, gradientFactor, rounded is null ? null : rounded + at);
        });
    }
}
