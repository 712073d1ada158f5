using Attune.Kernels;
using Attune.Models;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Optimization;

/// <summary>
/// Weights that are evaluated and saved in place of those that are trained. They lie beside the model's; to show them the two change places,
/// so that both come back to the bit.
/// </summary>
internal abstract unsafe class AveragedWeights : IDisposable
{
    private const int OperationsPerElement = 4;

    private readonly WeightStore _weights;
    private readonly TrainedWeights _trained;
    private readonly Tensor _other;
    private DeviceState? _onDevice;                                        // where a device makes the average
    private bool _isShown;

    /// <param name="optimizer">Whose weights they are; the others are not changed and need no average.</param>
    private protected AveragedWeights(Optimizer optimizer)
    {
        // Every process keeps the whole average, also where they share out the optimizer's state.
        (_weights, _trained) = (optimizer.Weights, optimizer.Trained.IsPart ? new TrainedWeights(optimizer.Weights) : optimizer.Trained);
        _other = LibTorch.Empty(_trained.Count);
        LibTorch.Span(_other).Clear();
    }

    /// <summary>Its name in the files of checkpoints.</summary>
    internal abstract string Kind { get; }

    /// <summary>How many updates it is made of.</summary>
    internal abstract long Updates { get; set; }

    /// <summary>The average, or while that is shown the weights that are trained: one number for each, in the order of the optimizer's state.</summary>
    internal Tensor Other => _onDevice?.OnHost ?? _other;

    /// <summary>How many.</summary>
    internal long Count => _trained.Count;

    /// <summary>Takes the weights after an update into account.</summary>
    /// <param name="updates">Updates of the run so far.</param>
    internal abstract void Follow(long updates);

    /// <summary>Puts the average into the model until the result is disposed; null where there is no average yet, or it is there already.</summary>
    internal IDisposable? Show()
    {
        if (_isShown || Updates == 0) return null;
        Prepare();
        Exchange();
        _isShown = true;
        return new Showing(this);
    }

    /// <summary>Puts the average into the model for good: training is over.</summary>
    internal void Keep()
    {
        if (_isShown || Updates == 0) return;
        Prepare();
        Exchange();
        _isShown = true;
    }

    /// <summary>The model has the average, and <see cref="Other"/> the weights that were trained, as a checkpoint holds them: puts both in their places.</summary>
    internal void TakeBack()
    {
        if (Updates > 0) Exchange();
    }

    public void Dispose()
    {
        _onDevice?.Dispose();
        _other.Dispose();
    }

    /// <summary>Brings the average up to date.</summary>
    private protected virtual void Prepare()
    {
    }

    /// <summary>Calls for stretches of the weights that are trained: address of the first value, its place in the optimizer's state, and how many.</summary>
    private protected void Each(Action<nint, long, long> stretch)
    {
        foreach (var weight in _trained.All)
        {
            var (values, place) = ((nint)weight.Data, _trained.Place(weight));
            CpuLoop.Stretches(weight.NumberOfElements, OperationsPerElement, (first, end) =>
                stretch(values + (nint)first * sizeof(float), place + first, end - first));
        }
    }

    /// <summary>Moves the average towards the weights that are trained: by how much of the way.</summary>
    private protected void MoveTowards(float share)
    {
        if (_weights.OnDevice is { } device)
        {
            _onDevice ??= new DeviceState(device.Device, Count, () => _other, isNew: false);
            using var scope = NewDisposeScope();
            using var still = no_grad();
            device.TakeFromHost();
            var there = _onDevice.OnDevice;
            foreach (var run in _trained.Layout()) there.narrow(0, run.Place, run.Count).lerp_(device.Values.narrow(0, run.Offset, run.Count), share);
            return;
        }
        var averages = (nint)LibTorch.Floats(_other);
        Each((values, place, count) => Vectors.MoveTowards((float*)averages + place, (float*)values, share, count));
    }

    private void Exchange()
    {
        var others = (nint)LibTorch.Floats(Other);
        Each((values, place, count) =>
        {
            float* one = (float*)values, other = (float*)others + place;
            for (var i = 0L; i < count; i++) (one[i], other[i]) = (other[i], one[i]);
        });
        _weights.SetChanged();
    }

    private sealed class Showing(AveragedWeights average) : IDisposable
    {
        public void Dispose()
        {
            if (!average._isShown) return;
            average.Exchange();
            average._isShown = false;
        }
    }
}
