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
    private readonly float[] _frequencies = RotaryEmbedding.Frequencies(headSize, theta);

    /// <summary>Turns the heads of tokens.</summary>
    /// <param name="x">(T,...,N,D).</param>
    /// <param name="pass">Whose tokens they are.</param>
    /// <returns>The same shape and type; computed in float32.</returns>
    internal Tensor Turn(Tensor x, DevicePass pass)
    {
        // What follows from the angle alone is the same in all layers.
        Tensor OfAngles(string what, Func<Tensor, Tensor> function) => pass.Batch.Once((what, theta), () => function(Angles(pass.Batch, x)));
        var (cosine, sine) = (OfAngles("cosine", angles => angles.cos()), OfAngles("sine", angles => angles.sin()));
        var halves = x.to(ScalarType.Float32).chunk(2, -1);
        return cat([halves[0] * cosine - halves[1] * sine, halves[1] * cosine + halves[0] * sine], -1).to(x.dtype);
    }

    /// <summary>(T,1,...,D/2).</summary>
    private Tensor Angles(DeviceBatch batch, Tensor x)
    {
        var angles = batch.Positions.to(ScalarType.Float32).unsqueeze(1) * LibTorch.Sent(tensor(_frequencies), x.device);
        return angles.view([batch.Tokens, .. Enumerable.Repeat(1L, (int)x.dim() - 2), _frequencies.Length]);
    }
}
