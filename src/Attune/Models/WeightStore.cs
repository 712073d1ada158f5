using System.Diagnostics.CodeAnalysis;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Models;

/// <summary>
/// All weights of a model in one flat buffer, their gradients in another: first those that decay, then the others. One optimizer call, one
/// norm and one write serve them all.
/// </summary>
public sealed class WeightStore : IDisposable
{
    private readonly List<Weight> _weights = [];
    private readonly Dictionary<string, Weight> _byName = [];
    private Tensor? _values, _gradients;

    internal WeightStore()
    {
    }

    /// <summary>The weights in the order of the flat buffers.</summary>
    public IReadOnlyList<Weight> All => _weights;

    /// <summary>Number of elements of all weights together.</summary>
    public long Count { get; private set; }

    /// <summary>Number of elements, from the first, to which weight decay applies.</summary>
    public long DecayingCount { get; private set; }

    /// <summary>The values of all weights, one after the other.</summary>
    public Tensor Values => _values ?? throw new InvalidOperationException("the weights are not laid out yet");

    /// <summary>The gradients of all weights, one after the other.</summary>
    public Tensor Gradients
    {
        get
        {
            foreach (var weight in _weights) ClearForReading(weight);
            return RawGradients;
        }
    }

    /// <summary>The weight of a name.</summary>
    /// <exception cref="KeyNotFoundException">There is none.</exception>
    public Weight this[string name] => _byName[name];

    /// <summary>The gradients, where those of weights marked as clear are not zero yet.</summary>
    internal Tensor RawGradients => _gradients ??= LibTorch.Empty(Count);

    /// <summary>Finds a weight by its name.</summary>
    public bool TryGet(string name, [NotNullWhen(true)] out Weight? weight) => _byName.TryGetValue(name, out weight);

    /// <summary>Sets all gradients to zero.</summary>
    public void ClearGradients()
    {
        foreach (var weight in _weights) weight.GradientIsClear = true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _values?.Dispose();
        _gradients?.Dispose();
        (_values, _gradients) = (null, null);
    }

    /// <summary>Declares a weight; all must be declared before <see cref="LayOut"/>.</summary>
    internal Weight Declare(string name, bool decays, params long[] shape)
    {
        var weight = new Weight(this, name, shape, decays);
        _weights.Add(weight);
        _byName.Add(name, weight);
        return weight;
    }

    /// <summary>Gives each weight its place and takes the memory for the values.</summary>
    internal void LayOut()
    {
        LibTorch.Load();
        List<Weight> ordered = [.. _weights.Where(weight => weight.Decays), .. _weights.Where(weight => !weight.Decays)];
        _weights.Clear();
        _weights.AddRange(ordered);
        foreach (var weight in _weights)
        {
            weight.Offset = Count;
            Count += weight.NumberOfElements;
            if (weight.Decays) DecayingCount = Count;
        }
        _values = LibTorch.Empty(Count);
    }

    private static unsafe void ClearForReading(Weight weight)
    {
        if (weight.GradientIsClear) _ = weight.GradientToAddTo();
    }
}
