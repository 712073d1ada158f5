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

    /// <summary>LayerNorm of the last dimension, with a bias where the model has one.</summary>
    internal Tensor Norm(Tensor x, string norm, double epsilon) =>
        F.layer_norm(x, [x.shape[^1]], this[norm + ".weight"], HasBias(norm) ? this[norm + ".bias"] : null, epsilon);

    /// <summary>One product with the weights of layers that read the same input and lie one after the other, their biases where they have some, and what adapters add: (L,I) -> (L,O).</summary>
    /// <param name="x">(L,I), of the type.</param>
    /// <param name="pass">One way of a batch through the model.</param>
    /// <param name="type">Of the product.</param>
    /// <param name="layers">Their names.</param>
    internal Tensor Linear(Tensor x, DevicePass pass, ScalarType type, params ReadOnlySpan<string> layers)
    {
        var hasBias = HasBias(layers[0]);
        var (weights, biases) = (new Weight[layers.Length], new Weight[hasBias ? layers.Length : 0]);
        for (var i = 0; i < layers.Length; i++)
        {
            weights[i] = store[layers[i] + ".weight"];
            if (hasBias) biases[i] = store[layers[i] + ".bias"];
        }
        var result = F.linear(x, store.OnDevice!.Leaf(weights, type), hasBias ? store.OnDevice.Leaf(biases, type) : null);
        return adapters.Output(x, pass, type, layers, weights) is { } added ? result.add_(added) : result;
    }

    /// <summary>A convolution as a product with what lies beside each line: (L,I k) -> (L,O).</summary>
    internal Tensor Convolution(Tensor x, ScalarType type, string layer) =>
        F.linear(x, store.OnDevice!.Leaf([store[layer + ".weight"]], type).flatten(1), store.OnDevice.Leaf([store[layer + ".bias"]], type));

    private bool HasBias(string part) => store.TryGet(part + ".bias", out _);

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
