using Attune.Batching;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: T tokens, E size of the tables' rows.

/// <summary>Noise on the word embeddings of a pass on a device: as <see cref="Kernels.EmbeddingNoise"/> on the processor, but drawn by the device's generator.</summary>
internal static class DeviceNoise
{
    private const string Lengths = "tokens of each token's row";

    /// <summary>The numbers that it needs, for the batch to take along.</summary>
    internal static (string, int[]) Numbers(Batch batch) =>
        (Lengths, [.. Enumerable.Range(0, batch.Rows).SelectMany(row => Enumerable.Repeat(batch.Sequences.Length(row), batch.Sequences.Length(row)))]);

    /// <summary>Embeddings with noise.</summary>
    /// <param name="words">(T,E).</param>
    /// <param name="batch">Made with the <see cref="Numbers"/>.</param>
    /// <param name="alpha">As <see cref="SequenceClassificationModel.NeftuneNoiseAlpha"/>.</param>
    internal static Tensor Add(Tensor words, DeviceBatch batch, double alpha) =>
        words + empty_like(words).uniform_(-alpha, alpha) * (batch[Lengths].to(ScalarType.Float32) * words.shape[1]).rsqrt().unsqueeze(1);
}
