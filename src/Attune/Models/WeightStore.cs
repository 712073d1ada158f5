using System.Diagnostics.CodeAnalysis;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Models;

/// <summary>
/// All weights of a model in one flat buffer, their gradients in another: first those that decay, then the others. One optimizer call, one
/// norm and one write serve them all. The weights of an adapter lie between the two, so that a model's own stay where they are without it.
/// </summary>
public sealed class WeightStore : IDisposable
{
    private readonly List<Weight> _weights = [];
    private readonly Dictionary<string, Weight> _byName = [];
    private Tensor? _values, _gradients;

    /// <param name="lora">The adapter that the model's linear layers are declared with; null for none.</param>
    internal WeightStore(LoraConfig? lora = null) => Lora = lora;

    /// <summary>The weights in the order of the flat buffers.</summary>
    public IReadOnlyList<Weight> All => _weights;

    /// <summary>Number of elements of all weights together.</summary>
    public long Count { get; private set; }

    /// <summary>Number of elements, from the first, to which weight decay applies.</summary>
    public long DecayingCount { get; private set; }

    /// <summary>The values of all weights, one after the other.</summary>
    /// <remarks>Take them anew after each step of an optimizer: only then is every row of the embeddings up to date.</remarks>
    public Tensor Values
    {
        get
        {
            var values = UpToDateValues();
            SetChanged();
            return values;
        }
    }

    /// <summary>The gradients of all weights, one after the other. Take them anew for each update.</summary>
    public unsafe Tensor Gradients
    {
        get
        {
            foreach (var weight in _weights) _ = weight.GradientWritten();
            return RawGradients;
        }
    }

    /// <summary>The weight of a name.</summary>
    /// <exception cref="KeyNotFoundException">There is none.</exception>
    public Weight this[string name] => _byName[name];

    /// <summary>The adapter that linear layers are declared with; null for none.</summary>
    internal LoraConfig? Lora { get; }

    /// <summary>The adapters of all linear layers that have one, in the order of their declaration.</summary>
    internal List<LoraLayer> LoraLayers { get; } = [];

    /// <summary>The names of all linear layers that were asked whether they have an adapter.</summary>
    internal List<string> LinearModules { get; } = [];

    /// <summary>Which part of the optimizer's state an optimizer that is made now keeps: the number of its process, and of how many. All of it: (0, 1).</summary>
    internal (int Rank, int Size) OptimizerShare { get; set; } = (0, 1);

    /// <summary>In which type products are computed.</summary>
    internal Precision Precision { get; set; }

    /// <summary>Grows whenever somebody may have changed the values.</summary>
    internal long Version { get; private set; }

    /// <summary>The values, of which rows of tables may wait for updates: <see cref="Weight.Pending"/>.</summary>
    internal Tensor RawValues => _values ?? throw new InvalidOperationException("the weights are not laid out yet");

    /// <summary>The same buffers on the device that computes; null where the processor computes with these.</summary>
    internal DeviceWeights? OnDevice { get; private set; }

    /// <summary>Lets a device compute from now on; null is the processor with its kernels.</summary>
    internal void MoveTo(Device? device)
    {
        OnDevice?.GiveToHost();
        OnDevice?.Dispose();
        OnDevice = device is null ? null : new DeviceWeights(this, device);
    }

    /// <summary>The values with every row up to date, for who only reads them.</summary>
    internal Tensor UpToDateValues()
    {
        OnDevice?.GiveToHost();
        foreach (var weight in _weights) weight.Pending?.Finish();
        return RawValues;
    }

    /// <summary>The gradients, where those of weights and rows marked as clear are not zero yet.</summary>
    internal Tensor RawGradients => _gradients ??= LibTorch.Empty(Count);

    /// <summary>Finds a weight by its name.</summary>
    public bool TryGet(string name, [NotNullWhen(true)] out Weight? weight) => _byName.TryGetValue(name, out weight);

    /// <summary>Sets all gradients to zero.</summary>
    public void ClearGradients()
    {
        OnDevice?.ClearGradients();
        foreach (var weight in _weights) weight.ClearGradient();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var weight in _weights) weight.ForgetPending();
        OnDevice?.Dispose();
        _values?.Dispose();
        _gradients?.Dispose();
        Rounded?.Dispose();
        (OnDevice, _values, _gradients, Rounded) = (null, null, null, null);
    }

    /// <summary>
    /// The weights that decay, from <see cref="RoundedFrom"/> on, in bfloat16; null until the first product in that type. Each layer rounds its
    /// own part when it is used first or <see cref="Version"/> has grown; an optimizer that rounds what it changes need not let it grow.
    /// </summary>
    internal Tensor? Rounded { get; private set; }

    /// <summary>First element in the flat buffers of what is rounded, here and on a device: what follows the tables, which are never part of a product.</summary>
    internal long RoundedFrom { get; private set; }

    /// <summary>Says that values have changed, or may change through what is handed out now.</summary>
    internal void SetChanged() => Version++;

    /// <summary>A part of <see cref="Rounded"/> as a matrix.</summary>
    internal Tensor RoundedPart(long offset, long lines, long columns)
    {
        Rounded ??= empty(DecayingCount - RoundedFrom, ScalarType.BFloat16).DetachFromDisposeScope();
        using var part = Rounded.narrow(0, offset - RoundedFrom, lines * columns);
        return part.view(lines, columns).DetachFromDisposeScope();
    }

    /// <summary>Declares a weight; all must be declared before <see cref="LayOut"/>.</summary>
    internal Weight Declare(string name, bool decays, params long[] shape) => Declare(new Weight(this, name, shape, decays, isTable: false) { Declared = _weights.Count });

    /// <summary>Declares the factors of a LayerNorm, to which weight decay does not apply.</summary>
    internal Weight DeclareScale(string name, long size) =>
        Declare(new Weight(this, name, [size], decays: false, isTable: false) { IsScale = true, Declared = _weights.Count });

    /// <summary>Declares a table of which a batch uses some rows only.</summary>
    internal Weight DeclareTable(string name, int rows, int columns) => Declare(new Weight(this, name, [rows, columns], decays: true, isTable: true) { Declared = _weights.Count });

    /// <summary>Declares a matrix of an adapter, to which weight decay applies.</summary>
    internal Weight DeclareAdapter(string name, long rows, long columns) =>
        Declare(new Weight(this, name, [rows, columns], decays: true, isTable: false) { IsAdapter = true, Declared = _weights.Count });

    /// <summary>Gives each weight its place and takes the memory for the values.</summary>
    internal void LayOut()
    {
        LibTorch.Load();
        List<Weight> ordered =
        [
            .. _weights.Where(weight => weight is { Decays: true, IsAdapter: false }), .. _weights.Where(weight => weight.IsAdapter), .. _weights.Where(weight => !weight.Decays),
        ];
        _weights.Clear();
        _weights.AddRange(ordered);
        foreach (var weight in _weights)
        {
            weight.Offset = Count;
            Count += weight.NumberOfElements;
            if (weight.Decays) DecayingCount = Count;
        }
        RoundedFrom = _weights.TakeWhile(weight => weight.IsTable).Sum(weight => weight.NumberOfElements);
        _values = LibTorch.Empty(Count);
    }

    private Weight Declare(Weight weight)
    {
        _weights.Add(weight);
        _byName.Add(weight.Name, weight);
        return weight;
    }
}
