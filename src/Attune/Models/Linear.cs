using Attune.Kernels;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: L lines, I inputs, O outputs.

/// <summary>
/// x W' without the bias, which the kernel that comes next adds, and its backward. Several layers that read the same input and lie one after
/// the other in the flat buffer work as one product.
/// </summary>
internal sealed unsafe class Linear : IDisposable
{
    private readonly Weight[] _weights, _biases;
    private readonly WeightStore _store;
    private Tensor? _value, _transposed, _gradient;

    internal Linear(WeightStore store, string name, long inputs, long outputs)
        : this(store, [store.Declare(name + ".weight", decays: true, outputs, inputs)], [store.Declare(name + ".bias", decays: false, outputs)])
    {
    }

    private Linear(WeightStore store, Weight[] weights, Weight[] biases) => (_store, _weights, _biases) = (store, weights, biases);

    /// <summary>The biases, one after the other (O).</summary>
    internal float* Bias => _biases[0].Data;

    private Tensor Value => _value ??= Matrix(_store.RawValues);

    /// <summary>Several layers as one; their weights and biases must have been declared one after the other.</summary>
    internal static Linear Joined(params ReadOnlySpan<Linear> layers)
    {
        List<Weight> weights = [], biases = [];
        foreach (var layer in layers)
        {
            weights.AddRange(layer._weights);
            biases.AddRange(layer._biases);
        }
        return new Linear(layers[0]._store, [.. weights], [.. biases]);
    }

    internal Tensor Forward(Tensor x) => Product(x, _transposed ??= Value.t().DetachFromDisposeScope());  // (L,I) -> (L,O)

    internal Tensor InputGradient(Tensor gradient) => Product(gradient, Value);                   // (L,O) -> (L,I)

    /// <summary>sum += gradient W, (L,I).</summary>
    internal void AddInputGradient(Tensor gradient, Tensor sum) => MatrixProduct.Multiply(gradient, Value, sum, accumulate: true);

    /// <summary>Adds gradient' x to the weights' gradients, (O,I). Of joined layers one that is trained is enough: nobody reads the others'.</summary>
    internal void AddWeightGradient(Tensor gradient, Tensor x)
    {
        if (!Array.Exists(_weights, weight => weight.RequiresGrad)) return;
        var isClear = Array.TrueForAll(_weights, weight => weight.GradientIsClear);
        if (!isClear) foreach (var weight in _weights) _ = weight.GradientWritten();
        using var transposed = gradient.t();
        _gradient ??= Matrix(_store.RawGradients);
        var squares = MatrixProduct.Multiply(transposed, x, _gradient, accumulate: !isClear);
        if (!Array.TrueForAll(_weights, weight => weight.RequiresGrad)) squares = null;
        for (var i = 0; i < _weights.Length; i++) _weights[i].SetGradientWritten(i == 0 || squares is null ? squares : 0);
    }

    /// <summary>Where a kernel adds the gradient of the bias (O); null where it is not trained.</summary>
    internal float* BiasGradient()
    {
        if (!Array.Exists(_biases, bias => bias.RequiresGrad)) return null;
        for (var i = 1; i < _biases.Length; i++) _ = _biases[i].GradientWritten();
        return _biases[0].GradientWritten();
    }

    /// <summary>Adds the column sums of a gradient (L,O) to the bias's gradient.</summary>
    internal void AddBiasGradient(Tensor gradient)
    {
        if (BiasGradient() is var sums && sums is null) return;
        EmbeddingSum.ColumnSums(LibTorch.Floats(gradient), (int)gradient.shape[0], (int)gradient.shape[1], sums);
    }

    public void Dispose()
    {
        _value?.Dispose();
        _transposed?.Dispose();
        _gradient?.Dispose();
    }

    private static Tensor Product(Tensor left, Tensor right)
    {
        var result = LibTorch.Empty(left.size(0), right.size(1));
        MatrixProduct.Multiply(left, right, result);
        return result;
    }

    private Tensor Matrix(Tensor flat)
    {
        var (outputs, inputs) = (0L, _weights[0].Shape[1]);
        foreach (var weight in _weights)
        {
            if (weight.Offset != _weights[0].Offset + outputs * inputs) throw new InvalidOperationException($"{weight.Name} does not follow the former");
            outputs += weight.Shape[0];
        }
        using var part = flat.narrow(0, _weights[0].Offset, outputs * inputs);
        return part.view(outputs, inputs).DetachFromDisposeScope();
    }
}
