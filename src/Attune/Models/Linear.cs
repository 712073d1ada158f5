using Attune.Kernels;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: L lines, I inputs, O outputs.

/// <summary>
/// x W' without the bias, which the kernel that comes next adds, and its backward. Several layers that read the same input and lie one after
/// the other in the flat buffer work as one product. Where the model has an adapter for a layer, what that adds is part of all of it.
/// </summary>
internal sealed unsafe class Linear : IDisposable
{
    /// <summary>Weights whose gradients no cache holds until the optimizer reads them.</summary>
    private const long MoreThanCached = 1 << 24;

    private readonly Weight[] _weights, _biases;
    private readonly (LoraLayer Layer, long Column)[] _adapters;            // each with the first column of its outputs
    private readonly WeightStore _store;
    private readonly bool _mayRound;
    private Tensor? _value, _transposed, _gradient, _rounded, _roundedTransposed;
    private long _roundedVersion = -1;

    /// <param name="store">Where its weights are declared.</param>
    /// <param name="name">Of the layer in the file of weights.</param>
    /// <param name="inputs">I.</param>
    /// <param name="outputs">O.</param>
    /// <param name="mayRound">Whether it follows the store's <see cref="WeightStore.Precision"/>; else its products are float32 always.</param>
    /// <param name="hasBias">Whether it has a bias.</param>
    internal Linear(WeightStore store, string name, long inputs, long outputs, bool mayRound = false, bool hasBias = true)
        : this(store, [store.Declare(name + ".weight", decays: true, outputs, inputs)], hasBias ? [store.Declare(name + ".bias", decays: false, outputs)] : [],
            LoraLayer.Of(store, name, inputs, outputs) is { } adapter ? [(adapter, 0)] : [], mayRound)
    {
    }

    private Linear(WeightStore store, Weight[] weights, Weight[] biases, (LoraLayer, long)[] adapters, bool mayRound) =>
        (_store, _weights, _biases, _adapters, _mayRound) = (store, weights, biases, adapters, mayRound);

    /// <summary>The biases, one after the other (O); null where there are none.</summary>
    internal float* Bias => _biases.Length > 0 ? _biases[0].Data : null;

    internal bool HasBias => _biases.Length > 0;

    private Precision Precision => _mayRound ? _store.Precision : Precision.Float32;

    private Tensor Value => _value ??= Matrix(_store.RawValues);

    private Tensor Transposed => _transposed ??= Value.t().DetachFromDisposeScope();

    /// <summary>Several layers as one; their weights and biases must have been declared one after the other.</summary>
    internal static Linear Joined(params ReadOnlySpan<Linear> layers)
    {
        List<Weight> weights = [], biases = [];
        List<(LoraLayer, long)> adapters = [];
        foreach (var layer in layers)
        {
            foreach (var (adapter, column) in layer._adapters) adapters.Add((adapter, column + weights.Sum(weight => weight.Shape[0])));
            weights.AddRange(layer._weights);
            biases.AddRange(layer._biases);
        }
        return new Linear(layers[0]._store, [.. weights], [.. biases], [.. adapters], layers[0]._mayRound);
    }

    /// <summary>A convolution as a product with what <see cref="NeighbourColumns"/> gathers; its weight is (O,I,k). No adapter is for it, as in PEFT.</summary>
    internal static Linear Convolution(WeightStore store, string name, long inputs, long outputs, long size) => new(
        store, [store.Declare(name + ".weight", decays: true, outputs, inputs, size)], [store.Declare(name + ".bias", decays: false, outputs)], [], mayRound: true);

    /// <summary>A layer whose weights are a table of embeddings, (O,I); bring that up to date before its products are made.</summary>
    internal static Linear Tied(WeightStore store, Weight table, Weight bias) => new(store, [table], [bias], [], mayRound: false);

    /// <param name="x">(L,I).</param>
    /// <param name="pass">What the lines are, for adapters.</param>
    /// <returns>(L,O).</returns>
    internal Tensor Forward(Tensor x, LoraLayer.Pass pass)
    {
        var result = LibTorch.Empty(x.size(0), Value.size(0));
        TimesWeights(x, transposed: true, result, accumulate: false);
        foreach (var (adapter, column) in _adapters)
        {
            using var part = result.narrow(1, column, adapter.Outputs);
            adapter.AddOutput(x, part, pass);
        }
        return result;
    }

    /// <param name="gradient">(L,O).</param>
    /// <param name="pass">As in forward.</param>
    /// <returns>(L,I).</returns>
    internal Tensor InputGradient(Tensor gradient, LoraLayer.Pass pass)
    {
        var result = LibTorch.Empty(gradient.size(0), Value.size(1));
        InputGradient(gradient, result, accumulate: false, pass);
        return result;
    }

    /// <summary>sum += gradient W, (L,I).</summary>
    internal void AddInputGradient(Tensor gradient, Tensor sum, LoraLayer.Pass pass) => InputGradient(gradient, sum, accumulate: true, pass);

    /// <summary>Adds the gradients of the weights and of the adapters.</summary>
    /// <param name="gradient">(L,O).</param>
    /// <param name="x">(L,I), as in forward.</param>
    /// <param name="pass">As in forward.</param>
    internal void AddWeightGradient(Tensor gradient, Tensor x, LoraLayer.Pass pass)
    {
        foreach (var (adapter, column) in _adapters)
        {
            using var part = gradient.narrow(1, column, adapter.Outputs);
            adapter.AddWeightGradients(part, x, pass);
        }
        AddWeightGradient(gradient, x);
    }

    private void InputGradient(Tensor gradient, Tensor result, bool accumulate, LoraLayer.Pass pass)
    {
        TimesWeights(gradient, transposed: false, result, accumulate);
        foreach (var (adapter, column) in _adapters)
        {
            using var part = gradient.narrow(1, column, adapter.Outputs);
            adapter.AddInputGradient(part, result, pass);
        }
    }

    /// <summary>Adds gradient' x to the weights' gradients, (O,I). Of joined layers one that is trained is enough: nobody reads the others'.</summary>
    private void AddWeightGradient(Tensor gradient, Tensor x)
    {
        if (!Array.Exists(_weights, weight => weight.RequiresGrad)) return;
        var isClear = Array.TrueForAll(_weights, weight => weight.GradientIsClear);
        if (!isClear) foreach (var weight in _weights) _ = weight.GradientWritten();
        _gradient ??= Matrix(_store.RawGradients);
        double? squares = null;
        var pastCache = _store.Count > MoreThanCached;
        if (Precision == Precision.Float16)
        {
            using Tensor halvesOfGradient = MatrixProduct.Halves(gradient), halvesOfX = MatrixProduct.Halves(x), transposed = halvesOfGradient.t();
            MatrixProduct.MultiplyHalves(transposed, halvesOfX, _gradient, accumulate: !isClear);
        }
        else if (Precision == Precision.BFloat16)
        {
            using Tensor roundedGradient = MatrixProduct.Rounded(gradient), roundedX = MatrixProduct.Rounded(x), transposed = roundedGradient.t();
            squares = MatrixProduct.MultiplyRounded(transposed, roundedX, _gradient, accumulate: !isClear, pastCache);
        }
        else
        {
            using var transposed = gradient.t();
            squares = MatrixProduct.Multiply(transposed, x, _gradient, accumulate: !isClear, pastCache);
        }
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
        foreach (var (adapter, _) in _adapters) adapter.Dispose();
        _value?.Dispose();
        _transposed?.Dispose();
        _gradient?.Dispose();
        _rounded?.Dispose();
        _roundedTransposed?.Dispose();
    }

    /// <summary>result = x W or x W', or adds it.</summary>
    private void TimesWeights(Tensor x, bool transposed, Tensor result, bool accumulate)
    {
        if (Precision == Precision.Float32)
        {
            _ = MatrixProduct.Multiply(x, transposed ? Transposed : Value, result, accumulate);
            return;
        }
        if (Precision == Precision.Float16)
        {
            // The weights are rounded each time: to keep them would take as much memory as the weights themselves.
            using Tensor halvesOfX = MatrixProduct.Halves(x), halves = MatrixProduct.Halves(Value), turned = halves.t();
            MatrixProduct.MultiplyHalves(halvesOfX, transposed ? turned : halves, result, accumulate);
            return;
        }
        RefreshRounded();
        using var rounded = MatrixProduct.Rounded(x);
        _ = MatrixProduct.MultiplyRounded(rounded, transposed ? _roundedTransposed! : _rounded!, result, accumulate);
    }

    /// <summary>Rounds the weights anew where they have changed.</summary>
    private void RefreshRounded()
    {
        if (_roundedVersion == _store.Version) return;
        _rounded ??= _store.RoundedPart(_weights[0].Offset, Value.size(0), Value.size(1));
        _roundedTransposed ??= _rounded.t().DetachFromDisposeScope();
        MatrixProduct.Round(Value, _rounded);
        _roundedVersion = _store.Version;
    }

    private Tensor Matrix(Tensor flat)
    {
        var (outputs, inputs) = (0L, _weights[0].NumberOfElements / _weights[0].Shape[0]);
        foreach (var weight in _weights)
        {
            if (weight.Offset != _weights[0].Offset + outputs * inputs) throw new InvalidOperationException($"{weight.Name} does not follow the former");
            outputs += weight.Shape[0];
        }
        using var part = flat.narrow(0, _weights[0].Offset, outputs * inputs);
        return part.view(outputs, inputs).DetachFromDisposeScope();
    }
}
