using static TorchSharp.torch;

namespace Attune.Models;

// Legend: R rows, S columns of the padded rows, Q of them that ask (S or 1).

/// <summary>Who sees whom in padded rows.</summary>
/// <param name="Mask">(R,1,Q,S), or (R,1,1,S) where all that ask see the same: true for what is seen, or numbers to be added to scores, 0 for what is seen and minus infinity for what is not.</param>
/// <param name="Blind">(R,1,Q,1), the queries that see nothing: they take the mean of all values of their row, as in transformers. Null where there is none.</param>
internal readonly record struct DeviceSight(Tensor Mask, Tensor? Blind)
{
    /// <summary>What the tokens of a batch see.</summary>
    /// <param name="pass">Over padded rows.</param>
    /// <param name="view">Of the attention. Where it has scores to be added, the mask is numbers.</param>
    /// <param name="isOfFirst">Whether each row's first token alone asks.</param>
    internal static DeviceSight Of(DevicePass pass, DeviceView view, bool isOfFirst)
    {
        var batch = pass.Batch;
        if (view == default) return new(batch.IsKey, Blind: null);
        var seesNothing = view.HiddenSeeNothing && batch.HasHidden;
        var isSameForAll = view.Window is null && !seesNothing;
        var sees = Once(nameof(Sees), () => Sees(batch, view.Window, seesNothing));
        var blind = isSameForAll ? null : Once(nameof(Blind), () => sees.any(-1, keepdim: true).logical_not());
        // A softmax over nothing is no number, and its gradient would reach all keys: from padding too, which nobody reads.
        var mask = Once(nameof(Mask), () => Numbers(blind is null ? sees : sees.logical_or(blind.logical_and(batch.IsToken)), pass.Type));
        return new(isOfFirst && !isSameForAll ? mask.narrow(2, 0, 1) : mask, !batch.HasHidden || blind is null ? null : isOfFirst ? blind.narrow(2, 0, 1) : blind);

        Tensor Once(string what, Func<Tensor> compute) => batch.Once((what, view.Window, seesNothing), compute);
    }

    /// <summary>Scores without those of what is not seen.</summary>
    internal Tensor Hide(Tensor scores) => (Blind is null ? scores : scores.masked_fill(Blind, 0)).to(Mask.dtype) + Mask;

    /// <summary>(R,1,1,S) or (R,1,S,S).</summary>
    private static Tensor Sees(DeviceBatch batch, int? window, bool hiddenSeeNothing)
    {
        var sees = batch.IsKey;
        if (hiddenSeeNothing) sees = sees.logical_and(sees.transpose(2, 3));
        if (window is not { } reach) return sees;
        var columns = arange(batch.Columns, device: sees.device);
        return sees.logical_and((columns.unsqueeze(1) - columns).abs().le(reach));
    }

    private static Tensor Numbers(Tensor seen, ScalarType type) => zeros(seen.shape, type, seen.device).masked_fill(seen.logical_not(), float.NegativeInfinity);
}
