using Attune.Kernels;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Attune.Models;

// Legend: T tokens, L lines of the output (T, or as many as are wanted), R rows, S columns of the padded rows, H hidden size, k size of the convolution's window.

/// <summary>The first layer of a DeBERTa-v2 with a convolution, on a device: what <see cref="ConvolvedLayer"/> computes on the processor.</summary>
/// <param name="parts">The weights by their names.</param>
/// <param name="name">Of what is beside the layer.</param>
/// <param name="config">Of the model.</param>
/// <param name="layer">Beside which it stands.</param>
internal sealed class DeviceConvolvedLayer(DeviceParts parts, string name, DebertaV2Config config, DeviceEncoderLayer layer) : DeviceEncoderLayer
{
    private readonly Func<Tensor, Tensor> activation = DeviceParts.Activation(config.ConvAct);

    internal override bool TakesPacked(Sequences rows) => false;

    internal override Tensor Forward(Tensor hidden, DevicePass pass, DeviceQueries? wanted)
    {
        var attended = layer.Forward(hidden, pass, wanted: null);                                                      // (T,H)
        var convolved = parts.Convolution(Neighbours(hidden.to(pass.Type), pass.Batch), pass.Type, name + ".conv");
        var sum = attended + activation(pass.Drop(pass.Batch.WithoutHidden(convolved), config.HiddenDropoutProb));
        var output = pass.Batch.WithoutHidden(parts.Norm(sum, name + ".LayerNorm", config.LayerNormEps));
        return wanted is null ? output : output.index_select(0, wanted.Tokens);
    }

    /// <summary>Beside each token those in the columns before and after it: (T,H) -> (T,H k), as <see cref="NeighbourColumns"/>.</summary>
    private Tensor Neighbours(Tensor x, DeviceBatch batch)
    {
        var padded = x.index_select(0, batch.PaddedPlaces).unflatten(0, batch.Rows, batch.Columns);                    // (R,S,H)
        var alone = padded.masked_fill(batch.IsToken.view(batch.Rows, batch.Columns, 1).logical_not(), 0);
        long size = config.ConvKernelSize, side = size / 2;
        return F.pad(alone, [0, 0, side, side]).unfold(1, size, 1).flatten(0, 1).index_select(0, batch.PackedPlaces).flatten(1);
    }
}
