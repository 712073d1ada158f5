using Attune.Kernels;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: T tokens, N heads, D size of a head.

/// <summary>Rotary positions on a device: what <see cref="RotaryEmbedding"/> computes on the processor.</summary>
/// <param name="headSize">D.</param>
/// <param name="theta">The base of the angles.</param>
internal sealed class DeviceRotary(int headSize, double theta)
{
    // The first half of a head is turned the other way: cosines are the same, sines have the sign with which it gets its partners.
    private readonly float[] _frequencies = [.. RotaryEmbedding.Frequencies(headSize, theta).Select(frequency => -frequency), .. RotaryEmbedding.Frequencies(headSize, theta)];

    /// <summary>Turns the heads of tokens.</summary>
    /// <param name="x">(T,...,N,D).</param>
    /// <param name="pass">Whose tokens they are.</param>
    /// <returns>The same shape and type; computed in float32.</returns>
    internal Tensor Turn(Tensor x, DevicePass pass)
    {
        var cosine = pass.Batch.Once(("cosine", theta), () => Angles(pass.Batch, x).cos());
        var sine = pass.Batch.Once(("sine", theta), () => Angles(pass.Batch, x).sin());
        return (x * cosine).addcmul(x.roll(headSize / 2, -1), sine, 1).to(x.dtype);
    }

    /// <summary>(T,1,...,D).</summary>
    private Tensor Angles(DeviceBatch batch, Tensor x)
    {
        var angles = batch.Positions.to(ScalarType.Float32).unsqueeze(1) * LibTorch.Sent(tensor(_frequencies), x.device);
        return angles.view([batch.Tokens, .. Enumerable.Repeat(1L, (int)x.dim() - 2), headSize]);
    }
}
