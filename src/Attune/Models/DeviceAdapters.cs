using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Attune.Models;

// Legend: L lines, I inputs, O outputs, r rank.

/// <summary>What adapters add to linear layers on a device, see <see cref="LoraLayer"/>. Their products are in the type of the layer's own, as PEFT's are under autocast.</summary>
/// <param name="store">With its buffers on the device.</param>
internal sealed class DeviceAdapters(WeightStore store)
{
    private readonly Dictionary<string, LoraLayer> _adapters = store.LoraLayers.ToDictionary(adapter => adapter.Module);

    /// <summary>What is added to the output of layers that are computed as one; null where none of them has an adapter.</summary>
    /// <param name="x">(L,I), what they read.</param>
    /// <param name="pass">One way of a batch through the model.</param>
    /// <param name="type">Of the product.</param>
    /// <param name="layers">Their names.</param>
    /// <param name="weights">Theirs, which say how many outputs each has.</param>
    /// <returns>(L,O) of all.</returns>
    internal Tensor? Output(Tensor x, DevicePass pass, ScalarType type, ReadOnlySpan<string> layers, ReadOnlySpan<Weight> weights)
    {
        var isAny = false;
        foreach (var layer in layers) isAny |= _adapters.ContainsKey(layer);
        if (!isAny) return null;
        var parts = new Tensor[layers.Length];
        for (var i = 0; i < parts.Length; i++)
            parts[i] = _adapters.TryGetValue(layers[i], out var adapter) ? Output(adapter, x, pass, type) : zeros(1, weights[i].Shape[0], type, x.device).expand(x.shape[0], -1);
        return parts is [var only] ? only : cat(parts, 1);
    }

    private Tensor Output(LoraLayer adapter, Tensor x, DevicePass pass, ScalarType type)
    {
        var between = F.linear(pass.Drop(x, adapter.DropoutProb), Leaf(adapter.A));                                    // (L,r)
        return F.linear(between * adapter.Scaling, Leaf(adapter.B));                                                   // scaled where it is small

        Tensor Leaf(Weight matrix) => store.OnDevice!.Leaf([matrix], type);
    }
}
