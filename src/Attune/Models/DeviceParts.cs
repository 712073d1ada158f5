using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Attune.Models;

/// <summary>A model's weights on a device by their names, and what the layers there make of them.</summary>
/// <param name="store">With its buffers on the device.</param>
internal sealed class DeviceParts(WeightStore store)
{
    private readonly DeviceAdapters adapters = new(store);

    /// <summary>A weight in float32.</summary>
    internal Tensor this[string name] => store.OnDevice!.Leaf([store[name]], ScalarType.Float32);

    /// <summary>One product with the weights of layers that read the same input and lie one after the other, their biases, and what adapters add: (L,I) -> (L,O).</summary>
    /// <param name="x">(L,I), of the type.</param>
    /// <param name="pass">One way of a batch through the model.</param>
    /// <param name="type">Of the product.</param>
    /// <param name="layers">Their names.</param>
    internal Tensor Linear(Tensor x, DevicePass pass, ScalarType type, params ReadOnlySpan<string> layers)
    {
        var (weights, biases) = (new Weight[layers.Length], new Weight[layers.Length]);
        for (var i = 0; i < layers.Length; i++) (weights[i], biases[i]) = (store[layers[i] + ".weight"], store[layers[i] + ".bias"]);
        var result = F.linear(x, store.OnDevice!.Leaf(weights, type), store.OnDevice.Leaf(biases, type));
        return adapters.Output(x, pass, type, layers, weights) is { } added ? result.add_(added) : result;
    }

    /// <summary>The function of a name of transformers' <c>ACT2FN</c>; <see cref="Kernels.Activation.Named"/> has refused others.</summary>
    internal static Func<Tensor, Tensor> Activation(string name) => name switch
    {
        "gelu" or "gelu_python" => x => x.gelu(),
        "gelu_new" or "gelu_pytorch_tanh" or "gelu_fast" or "gelu_accurate" => x => x.gelu(TorchSharp.Modules.GELU.Approximate.tanh),
        "relu" => x => x.relu(),
        "silu" or "swish" => x => F.silu(x),
        "quick_gelu" => x => x * (x * 1.702f).sigmoid(),
        "tanh" => x => x.tanh(),
        "sigmoid" => x => x.sigmoid(),
        _ => x => x,
    };
}
