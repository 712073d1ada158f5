using Attune.Kernels;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: T tokens, L lines of the output (T, or as many as are wanted), H hidden size.

/// <summary>One layer of an encoder on a device; it keeps nothing of a pass.</summary>
internal abstract class DeviceEncoderLayer
{
    /// <param name="hidden">(T,H), float32.</param>
    /// <param name="pass">One way of a batch through the model.</param>
    /// <param name="wanted">Of which tokens the output is wanted; null for all.</param>
    /// <returns>(L,H), float32.</returns>
    internal abstract Tensor Forward(Tensor hidden, DevicePass pass, DeviceQueries? wanted);

    /// <summary>Whether it can compute rows as they lie; else it needs them with padding.</summary>
    internal abstract bool TakesPacked(Sequences rows);
}
