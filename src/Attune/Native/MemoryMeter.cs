using static TorchSharp.torch;

namespace Attune.Native;

/// <summary>While it is open: the bytes of the tensors that the calling thread has taken since and not given back, at their most.</summary>
internal sealed class MemoryMeter : IDisposable
{
    [ThreadStatic]
    private static MemoryMeter? _open;

    private readonly List<(WeakReference<Tensor> Tensor, long Bytes)> _alive = [];      // weak: what a failed computation has left is collected

    internal MemoryMeter()
    {
        if (_open is not null) throw new InvalidOperationException("a memory meter is open already");
        _open = this;
    }

    /// <summary>With more bytes than this at one time memory counts as used up. Default: no limit.</summary>
    internal long LimitBytes { get; set; } = long.MaxValue;

    /// <summary>The most bytes that were taken at one time.</summary>
    internal long PeakBytes { get; private set; }

    internal static void Took(Tensor tensor) => _open?.Add(tensor);

    public void Dispose() => _open = null;

    private void Add(Tensor tensor)
    {
        _alive.RemoveAll(one => !one.Tensor.TryGetTarget(out var still) || still.IsInvalid);
        _alive.Add((new(tensor), tensor.NumberOfElements * tensor.ElementSize));
        var bytes = _alive.Sum(one => one.Bytes);
        if (bytes > LimitBytes)
        {
            tensor.Dispose();
            throw new InsufficientMemoryException($"{bytes} bytes are more than the limit of {LimitBytes}");
        }
        PeakBytes = Math.Max(PeakBytes, bytes);
    }
}
