using Attune.Batching;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: L lines of the encoder's output (R, or all tokens where the head reads all), R rows, H hidden size, C classes.

/// <summary>What makes logits of the encoder's states on a device, in float32: what a <see cref="ClassificationHead"/> computes on the processor.</summary>
internal abstract class DeviceHead
{
    /// <summary>Whether it reads the states of all tokens, and not of each row's first alone.</summary>
    internal virtual bool ReadsAllTokens => false;

    /// <summary>Whole numbers that it needs there, as in <see cref="DeviceBatch"/>.</summary>
    internal virtual (string, int[])[] Numbers(Batch batch) => [];

    /// <param name="states">(L,H).</param>
    /// <param name="pass">With its <see cref="Numbers"/>.</param>
    /// <param name="pooled">(R,H), what the last linear layer reads.</param>
    /// <returns>(R,C).</returns>
    internal abstract Tensor Logits(Tensor states, DevicePass pass, out Tensor pooled);
}
