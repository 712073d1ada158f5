using Attune.Batching;
using Attune.Kernels;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: L lines of the encoder's output (R, or T where their mean is taken), T tokens, R rows, H hidden size, C classes.

/// <summary>The same on a device as <see cref="ModernBertHead"/> on the processor.</summary>
/// <param name="parts">The weights by their names.</param>
/// <param name="config">Of the model.</param>
internal sealed class DeviceModernBertHead(DeviceParts parts, ModernBertConfig config) : DeviceHead
{
    private const string RowOfToken = "row of each token";

    private readonly Func<Tensor, Tensor> activation = DeviceParts.Activation(config.ClassifierActivation);

    internal override bool ReadsAllTokens => config.ReadsMean;

    /// <summary>Tokens that the mask hides count to a row that is none.</summary>
    internal override (string, int[])[] Numbers(Batch batch)
    {
        if (!ReadsAllTokens) return [];
        var rows = batch.Sequences;
        return [(RowOfToken, [.. rows.AllTokens.RowNumber.Select((row, token) => rows.Hidden?[token] == true ? rows.Rows : row - rows.FirstRowNumber)])];
    }

    internal override Tensor Logits(Tensor states, DevicePass pass, out Tensor pooled)
    {
        var normed = parts.Norm(states, ModernBertConfig.Prefix + "final_norm", config.LayerNormEps);                  // (L,H)
        var dense = activation(parts.Linear(ReadsAllTokens ? Means(normed, pass.Batch) : normed, pass, ScalarType.Float32, "head.dense"));
        pooled = pass.Drop(parts.Norm(dense, "head.norm", config.LayerNormEps), config.DropoutBeforeClassifier);       // (R,H)
        return parts.Linear(pooled, pass, ScalarType.Float32, config.ClassifierName);                                        // (R,C)
    }

    /// <summary>As <see cref="RowMeans"/>.</summary>
    private static Tensor Means(Tensor states, DeviceBatch batch)
    {
        Tensor Sums(Tensor lines) => zeros([batch.Rows + 1, lines.shape[1]], device: lines.device).index_add(0, batch[RowOfToken].to(ScalarType.Int64), lines, 1).narrow(0, 0, batch.Rows);
        return Sums(states) / Sums(ones([batch.Tokens, 1], device: states.device));
    }
}
