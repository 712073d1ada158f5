using Attune.Native;

namespace Attune.Optimization;

/// <summary>
/// An average of the weights after each update: one that forgets, without a bias towards its start (<c>ema_decay</c>), or the plain mean from
/// some update on (<c>swa_start</c>, after Izmailov et al., 2018).
/// </summary>
internal sealed class MovingAverage : AveragedWeights
{
    private readonly long _start;
    private readonly double? _decay;

    /// <param name="optimizer">Whose weights are averaged.</param>
    /// <param name="decay">By which an update counts less with each that follows; null: all count alike.</param>
    /// <param name="start">Updates of the run that do not count, at its beginning.</param>
    internal MovingAverage(Optimizer optimizer, double? decay, long start = 0) : base(optimizer) => (_decay, _start) = (decay, start);

    internal override string Kind => _decay is null ? "swa" : "ema";

    internal override long Updates { get; set; }

    internal override void Follow(long updates)
    {
        if (updates <= _start)
        {
            if (Updates > 0) Forget();
            return;
        }
        Updates++;
        MoveTowards((float)Share(Updates));
    }

    /// <summary>A run that was made longer goes on before the updates that count now, with an average of those that counted before.</summary>
    private void Forget()
    {
        Updates = 0;
        LibTorch.Span(Other).Clear();
    }

    /// <summary>
    /// What the newest weights have of the average. The sum of decay^(n-i) w_i over the sum of decay^(n-i) is the average that an Adam-like bias
    /// correction gives; of the first update it is all, so the weights before training never count.
    /// </summary>
    private double Share(long count) => _decay is { } decay ? (1 - decay) / (1 - Math.Pow(decay, count)) : 1.0 / count;
}
