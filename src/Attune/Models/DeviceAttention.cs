using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: T tokens, R rows, L queries (T, or as many as ask), S tokens of the longest row, N heads, D size of a head.

/// <summary>Self-attention by libtorch's operators: over the packed rows where the device has a kernel for that, else over the same rows with padding that nobody attends to.</summary>
internal static class DeviceAttention
{
    /// <summary>Whether the rows are taken as they lie: flash attention is for two types, for graphics cards, and knows no masks.</summary>
    internal static bool IsPacked(DeviceWeights weights, ScalarType type, int headSize, bool isAnyHidden) =>
        weights.HasFlashAttention && type is ScalarType.BFloat16 or ScalarType.Float16 && headSize % 8 == 0 && headSize <= 256 && !isAnyHidden;

    /// <param name="query">(L,N,D).</param>
    /// <param name="key">(T,N,D).</param>
    /// <param name="value">(T,N,D).</param>
    /// <param name="batch">The rows.</param>
    /// <param name="isPacked">As <see cref="IsPacked"/>.</param>
    /// <param name="asking">Which tokens ask; null for all. Without packed rows they can only be the first ones.</param>
    /// <param name="dropout">Share of the probabilities that is dropped.</param>
    /// <returns>(L,N,D).</returns>
    internal static Tensor Attend(Tensor query, Tensor key, Tensor value, DeviceBatch batch, bool isPacked, DeviceQueries? asking, double dropout)
    {
        if (isPacked) return Operators.FlashAttention(query, key, value, asking?.Offsets ?? batch.Offsets, batch.Offsets, asking?.Longest ?? batch.Longest, batch.Longest, dropout);
        var queries = asking is null ? Padded(query, batch) : query.unsqueeze(2);                                      // (R,N,1 or S,D)
        var context = nn.functional.scaled_dot_product_attention(queries, Padded(key, batch), Padded(value, batch), batch.IsKey, dropout);
        if (asking is not null) return context.squeeze(2);
        return context.transpose(1, 2).flatten(0, 1).index_select(0, batch.PackedPlaces);
    }

    /// <summary>(T,N,D) -> (R,N,S,D). Where there is padding stands the first token of all, whose gradient from there is zero.</summary>
    private static Tensor Padded(Tensor packed, DeviceBatch batch) =>
        packed.index_select(0, batch.PaddedPlaces).unflatten(0, batch.Rows, batch.Longest).transpose(1, 2);
}
