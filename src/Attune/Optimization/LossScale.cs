using Attune.Models;

namespace Attune.Optimization;

/// <summary>
/// The factor of the loss in float16, without which small gradients would be zero there. It finds its own size, as <c>torch.amp.GradScaler</c>: an update whose
/// gradient is infinite or not a number is not made and halves it, and after many in a row that were made it is doubled (Micikevicius and others, "Mixed
/// Precision Training", 2018).
/// </summary>
internal sealed class LossScale
{
    /// <summary>The first factor, as in PyTorch.</summary>
    internal const double First = 65_536;

    /// <summary>Updates in a row after which it grows, as in PyTorch.</summary>
    internal const int Interval = 2_000;

    /// <summary>Updates in a row that may be skipped before it is clear that the factor is not to blame.</summary>
    internal const int MostSkipped = 50;

    private const double Growth = 2, Backoff = 0.5;

    private readonly int _interval;

    /// <param name="first">The first factor.</param>
    /// <param name="interval">Updates in a row after which it grows.</param>
    internal LossScale(double first = First, int interval = Interval) => (_interval, State) = (interval, new LossScaleState(first, 0, 0));

    /// <summary>What must survive a restart.</summary>
    internal LossScaleState State { get; set; }

    /// <summary>The factor of the next update.</summary>
    internal double Value => State.Scale;

    /// <summary>Whether a smaller factor would make gradients smaller than they are, so that it cannot help.</summary>
    internal bool IsSmallest => Value * Backoff < 1;

    /// <summary>Takes the factor out of the gradients.</summary>
    internal void Unscale(WeightStore weights) => GradientRange.Multiply(weights, 1 / Value);

    /// <summary>Counts an update that was made.</summary>
    /// <returns>Whether the factor has grown.</returns>
    internal bool CountMade()
    {
        var grows = State.GoodUpdates + 1 >= _interval;
        // As in PyTorch it stays where it would no longer be a number of float32.
        var next = grows && float.IsFinite((float)(Value * Growth)) ? Value * Growth : Value;
        var hasGrown = next > Value;
        State = State with { Scale = next, GoodUpdates = grows ? 0 : State.GoodUpdates + 1 };
        return hasGrown;
    }

    /// <summary>Counts an update that was not made, and makes the factor smaller.</summary>
    internal void CountSkipped() => State = new LossScaleState(Value * Backoff, 0, State.Skipped + 1);
}

/// <summary>Where a <see cref="LossScale"/> stands.</summary>
/// <param name="Scale">The factor.</param>
/// <param name="GoodUpdates">Updates made since it was changed.</param>
/// <param name="Skipped">Updates skipped since the run began: the learning rate does not count them.</param>
internal sealed record LossScaleState(double Scale, int GoodUpdates, long Skipped);
