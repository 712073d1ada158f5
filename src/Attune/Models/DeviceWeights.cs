using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Models;

/// <summary>
/// The weights on the device that computes: once more flat buffers of values and gradients, in the order of the <see cref="WeightStore"/>'s own, which stay the place from which
/// files are written and into which they are read. Whoever asks for one side gets what the other has changed; so nothing is copied in an update.
/// </summary>
internal sealed class DeviceWeights : IDisposable
{
    private const int FirstWithFlashAttention = 8;                         // compute capability

    private readonly WeightStore _store;
    private readonly Dictionary<(long Offset, long Count, ScalarType Type), LeafWeight> _leaves = [];
    private readonly List<(long First, long Count)> _ended = [];             // of the gradients what this backward does not come back to
    private Tensor? _gradients;
    private (ScalarType Type, Tensor Values, Tensor Gradients)? _rounded;
    private long _version, _roundedVersion = -1, _takenFromHost = -1;      // of the values here, of those rounded, and of the host's that they come from
    private bool _isHostStale, _isHostGradientStale, _gradientsAreClear = true;

    /// <param name="store">Laid out; its values are taken over at the first use.</param>
    /// <param name="device">Where to compute.</param>
    internal DeviceWeights(WeightStore store, Device device)
    {
        (_store, Device) = (store, device);
        Values = New(ScalarType.Float32, store.Count);
        HasFlashAttention = device.type == TorchSharp.DeviceType.CUDA && CudaDriver.OfMachine() is { } driver && device.index < driver.Cards.Count
            && driver.Cards[Math.Max(0, device.index)].Major >= FirstWithFlashAttention;
    }

    /// <summary>Where the model computes.</summary>
    internal Device Device { get; }

    /// <summary>Whether it has libtorch's flash attention: a graphics card of NVIDIA's from the generation on that has bfloat16.</summary>
    internal bool HasFlashAttention { get; }

    /// <summary>The values of all weights, float32. Bring them up to date by <see cref="TakeFromHost"/> first.</summary>
    internal Tensor Values { get; }

    /// <summary>The gradients of all weights, float32.</summary>
    internal Tensor Gradients
    {
        get
        {
            _gradients ??= New(ScalarType.Float32, _store.Count);
            if (_gradientsAreClear) _gradients.zero_();
            _gradientsAreClear = false;
            return _gradients;
        }
    }

    /// <summary>
    /// Some weights that lie together as one matrix or vector that autograd knows as its own: a view of the values, or of the values in another type, whose gradient is a view of the
    /// flat gradients.
    /// </summary>
    /// <param name="weights">In the order of the buffer.</param>
    /// <param name="type">float32, or that of <see cref="Prepare"/>.</param>
    internal Tensor Leaf(ReadOnlySpan<Weight> weights, ScalarType type)
    {
        var (count, isTrained) = (0L, false);
        foreach (var weight in weights)
        {
            if (weight.Offset != weights[0].Offset + count) throw new InvalidOperationException($"{weight.Name} does not lie behind the others");
            (count, isTrained) = (count + weight.NumberOfElements, isTrained || weight.RequiresGrad);
        }
        var place = (weights[0].Offset, count, type);
        if (!_leaves.TryGetValue(place, out var leaf))
            leaf = _leaves[place] = new LeafWeight(View(weights, count, type, type == ScalarType.Float32 ? Values : _rounded!.Value.Values));
        if (leaf.Value.requires_grad != isTrained) leaf.Value.requires_grad = isTrained;
        if (leaf.HasGradient || !isTrained || !is_grad_enabled()) return leaf.Value;
        using var gradient = View(weights, count, type, type == ScalarType.Float32 ? Gradients : _rounded!.Value.Gradients);
        (leaf.Value.grad, leaf.HasGradient) = (gradient, true);
        return leaf.Value;
    }

    /// <summary>Gets values ready to compute with: what the host has changed, and rounded to a type where it is not float32.</summary>
    internal void Prepare(ScalarType type)
    {
        TakeFromHost();
        if (type == ScalarType.Float32) return;
        var (from, count) = (_store.RoundedFrom, _store.Count - _store.RoundedFrom);
        if (_rounded?.Type != type)
        {
            ForgetRounded();
            _rounded = (type, New(type, count), New(type, count));
            _rounded.Value.Gradients.zero_();
        }
        if (_roundedVersion == _version) return;
        using var exact = Values.narrow(0, from, count);
        _rounded.Value.Values.copy_(exact);
        _roundedVersion = _version;
    }

    /// <summary>Gets gradients ready to be added to.</summary>
    internal void BeginBackward()
    {
        if (_gradientsAreClear) _rounded?.Gradients.zero_();               // what a pass that failed has left
        _ended.Clear();
        _ = Gradients;
    }

    /// <summary>Adds what backward has left in another type.</summary>
    internal void EndBackward()
    {
        _isHostGradientStale = true;
        var next = 0L;
        foreach (var (first, count) in _ended.Order())
        {
            AddRounded(next, first - next);
            next = first + count;
        }
        AddRounded(next, _store.Count - next);
        _ended.Clear();
    }

    /// <summary>The same of some weights that backward does not come back to, before it is over: nobody touches their gradients until it is.</summary>
    /// <param name="first">First element in the flat buffers.</param>
    /// <param name="count">How many.</param>
    internal void EndBackward(long first, long count)
    {
        if (_gradientsAreClear) BeginBackward();                            // there was none: this process has no row in the update
        AddRounded(first, count);
        _ended.Add((first, count));
    }

    /// <summary>Changes the gradients in place.</summary>
    internal void Change(Action<Tensor> change)
    {
        change(Gradients);
        _isHostGradientStale = true;
    }

    /// <summary>Makes all gradients zero without writing them.</summary>
    internal void ClearGradients() => (_gradientsAreClear, _isHostGradientStale) = (true, true);

    /// <summary>Says that the values here have changed.</summary>
    internal void SetChanged() => (_version, _isHostStale) = (_version + 1, true);

    /// <summary>Takes values that the host may have changed.</summary>
    internal void TakeFromHost()
    {
        if (_takenFromHost == _store.Version) return;
        Values.copy_(_store.RawValues);
        (_takenFromHost, _version) = (_store.Version, _version + 1);
    }

    /// <summary>Brings the host's values up to date.</summary>
    internal void GiveToHost()
    {
        if (!_isHostStale) return;
        _store.RawValues.copy_(Values);
        _isHostStale = false;
    }

    /// <summary>Brings the host's gradients up to date. They are there to be looked at: what is written into them changes nothing here.</summary>
    internal void GiveGradientsToHost()
    {
        if (!_isHostGradientStale) return;
        _store.RawGradients.copy_(Gradients);
        _isHostGradientStale = false;
    }

    public void Dispose()
    {
        foreach (var leaf in _leaves.Values) leaf.Value.Dispose();
        _leaves.Clear();
        ForgetRounded();
        _gradients?.Dispose();
        Values.Dispose();
    }

    private void AddRounded(long first, long count)
    {
        var (from, end) = (Math.Max(first, _store.RoundedFrom), first + count);
        if (_rounded is not { } rounded || from >= end) return;
        using var exact = Gradients.narrow(0, from, end - from);
        using var inexact = rounded.Gradients.narrow(0, from - _store.RoundedFrom, end - from);
        exact.add_(inexact);
        inexact.zero_();
    }

    private void ForgetRounded()
    {
        if (_rounded is not { } rounded) return;
        foreach (var key in _leaves.Keys.Where(key => key.Type == rounded.Type).ToList())
        {
            _leaves[key].Value.Dispose();
            _leaves.Remove(key);
        }
        rounded.Values.Dispose();
        rounded.Gradients.Dispose();
        (_rounded, _roundedVersion) = (null, -1);
    }

    private Tensor New(ScalarType type, long count) => LibTorch.Empty(type, Device, count);

    /// <summary>Weights that lie together as one matrix, one line after the other, or as a vector.</summary>
    private Tensor View(ReadOnlySpan<Weight> weights, long count, ScalarType type, Tensor flat)
    {
        long[] shape = [.. weights[0].Shape];
        shape[0] = count / (weights[0].NumberOfElements / shape[0]);
        using var part = flat.narrow(0, weights[0].Offset - (type == ScalarType.Float32 ? 0 : _store.RoundedFrom), count);
        using var view = part.view(shape);
        return view.detach().DetachFromDisposeScope();
    }

    /// <summary>What autograd knows as one weight.</summary>
    private sealed class LeafWeight(Tensor value)
    {
        internal Tensor Value => value;

        /// <summary>Whether its gradient has its place.</summary>
        internal bool HasGradient { get; set; }
    }
}
