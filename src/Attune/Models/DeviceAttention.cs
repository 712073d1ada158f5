using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: T tokens, R rows, L queries (T, or as many as ask), S columns of the padded rows, Q of them that ask, N heads, D size of a head.

/// <summary>Self-attention by libtorch's operators: over the packed rows where the device has a kernel for that, else over the same rows with padding that nobody attends to.</summary>
internal static class DeviceAttention
{
    /// <summary>Whether the rows are taken as they lie: flash attention is for two types, for graphics cards, and knows no masks.</summary>
    internal static bool IsPacked(DeviceWeights weights, ScalarType type, int headSize, bool isAnyHidden) =>
        weights.HasFlashAttention && type is ScalarType.BFloat16 or ScalarType.Float16 && headSize % 8 == 0 && headSize <= 256 && !isAnyHidden;

    /// <summary>Whether attention can be computed for some tokens alone, as <see cref="DeviceQueries.CanAskAlone"/>: a window is laid by their number in the row, and so needs all.</summary>
    internal static bool CanAskAlone(DevicePass pass, DeviceView view, DeviceQueries wanted) => wanted.CanAskAlone(pass.IsPacked) && !(pass.IsPacked && view.Window is not null);

    /// <param name="query">(L,N,D).</param>
    /// <param name="key">(T,N,D).</param>
    /// <param name="value">(T,N,D).</param>
    /// <param name="pass">One way of a batch through the model.</param>
    /// <param name="view">What it looks at beside these.</param>
    /// <param name="asking">Which tokens ask, who <see cref="CanAskAlone"/>; null for all.</param>
    /// <param name="dropout">Share of the probabilities that is dropped.</param>
    /// <returns>(L,N,D).</returns>
    internal static Tensor Attend(Tensor query, Tensor key, Tensor value, DevicePass pass, DeviceView view, DeviceQueries? asking, double dropout)
    {
        var batch = pass.Batch;
        if (pass.IsPacked)
            return Operators.FlashAttention(query, key, value, asking?.Offsets ?? batch.Offsets, batch.Offsets, asking?.Longest ?? batch.Longest, batch.Longest, dropout, view.Window);
        var queries = asking is null ? Padded(query, batch) : query.unsqueeze(2);                                      // (R,N,Q,D)
        var (keys, sight) = (Padded(key, batch), DeviceSight.Of(pass, view, isOfFirst: asking is not null));
        if (sight.Blind is { } blind) queries = queries.masked_fill(blind, 0);
        var scores = view.Relative?.Scores(queries, keys, sight, pass);
        if (view.ExtraTerms > 0) queries = queries * (1 / Math.Sqrt(1 + view.ExtraTerms));
        var context = nn.functional.scaled_dot_product_attention(queries, keys, Padded(value, batch), scores ?? sight.Mask, dropout);
        if (asking is not null) return context.squeeze(2);
        return context.transpose(1, 2).flatten(0, 1).index_select(0, batch.PackedPlaces);
    }

    /// <summary>(T,N,D) -> (R,N,S,D). Where there is padding stands the first token of all, whose gradient from there is zero.</summary>
    private static Tensor Padded(Tensor packed, DeviceBatch batch) =>
        packed.index_select(0, batch.PaddedPlaces).unflatten(0, batch.Rows, batch.Columns).transpose(1, 2);
}
