using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Attune.Models;

/// <summary>One way of a batch through a model on a device.</summary>
/// <param name="Batch">The rows.</param>
/// <param name="Type">In which the layers' products are computed. Sums of branches, LayerNorm and the head are float32.</param>
/// <param name="IsPacked">As <see cref="DeviceAttention.IsPacked"/>.</param>
/// <param name="IsTraining">Whether something is dropped.</param>
internal readonly record struct DevicePass(DeviceBatch Batch, ScalarType Type, bool IsPacked, bool IsTraining)
{
    /// <summary>The share that is dropped now.</summary>
    internal double Share(double probability) => IsTraining ? probability : 0;

    /// <summary>Dropout.</summary>
    internal Tensor Drop(Tensor x, double probability) => Share(probability) > 0 ? F.dropout(x, probability) : x;
}
