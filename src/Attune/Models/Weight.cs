using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Models;

/// <summary>One weight of a model: a part of the model's flat buffers, under the name that it has in <c>model.safetensors</c>.</summary>
public sealed unsafe class Weight
{
    private readonly WeightStore _store;

    internal Weight(WeightStore store, string name, long[] shape, bool decays)
    {
        (_store, Name, Shape, Decays) = (store, name, shape, decays);
        NumberOfElements = shape.Aggregate(1L, (product, size) => checked(product * size));
    }

    /// <summary>Name in the file of weights, for example <c>bert.pooler.dense.bias</c>.</summary>
    public string Name { get; }

    /// <summary>Sizes of the dimensions.</summary>
    public IReadOnlyList<long> Shape { get; }

    /// <summary>Product of the sizes.</summary>
    public long NumberOfElements { get; }

    /// <summary>Whether weight decay applies, as transformers decides it: not to biases and not to LayerNorm.</summary>
    public bool Decays { get; }

    /// <summary>First element in the flat buffers.</summary>
    public long Offset { get; internal set; }

    /// <summary>The values, as a view of the flat buffer.</summary>
    public Tensor Value => View(_store.Values);

    /// <summary>The gradient, as a view of the flat buffer; zero before the first backward.</summary>
    public Tensor Gradient => View(_store.Gradients);

    /// <summary>Whether the gradient is zero without being written: the first to write it need not read it.</summary>
    internal bool GradientIsClear { get; set; } = true;

    internal float* Data => LibTorch.Floats(_store.Values) + Offset;

    internal Span<float> Span => new(Data, checked((int)NumberOfElements));

    /// <summary>Where a kernel adds this weight's gradient.</summary>
    internal float* GradientToAddTo()
    {
        var gradient = LibTorch.Floats(_store.RawGradients) + Offset;
        if (GradientIsClear) new Span<float>(gradient, checked((int)NumberOfElements)).Clear();
        GradientIsClear = false;
        return gradient;
    }

    private Tensor View(Tensor flat)
    {
        using var part = flat.narrow(0, Offset, NumberOfElements);
        return part.view([.. Shape]);
    }
}
