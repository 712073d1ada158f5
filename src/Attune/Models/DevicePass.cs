using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Attune.Models;

/// <summary>One way of a batch through a model on a device.</summary>
/// <param name="Batch">The rows.</param>
/// <param name="Type">In which the layers' products are computed. Sums of branches, LayerNorm and the head are float32.</param>
/// <param name="IsPacked">As <see cref="DeviceAttention.IsPacked"/>.</param>
/// <param name="DropoutKey">What is dropped depends on it; null in evaluation, where nothing is.</param>
internal readonly record struct DevicePass(DeviceBatch Batch, ScalarType Type, bool IsPacked, ulong? DropoutKey)
{
    /// <summary>The noise of this pass, as <see cref="SequenceClassificationModel.NeftuneNoiseAlpha"/>.</summary>
    internal double NoiseAlpha { get; init; }

    /// <summary>Where the word embeddings are moved; null for nowhere.</summary>
    internal EmbeddingMove? Move { get; init; }

    /// <summary>Where it is cut between parts; null where it is whole.</summary>
    internal DeviceSegments? Segments { get; init; }

    /// <summary>The share that is dropped now.</summary>
    internal double Share(double probability) => DropoutKey is not null ? probability : 0;

    /// <summary>Dropout.</summary>
    internal Tensor Drop(Tensor x, double probability) => Share(probability) > 0 ? F.dropout(x, probability) : x;
}
