using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Optimization;

/// <summary>Numbers that a device works with and that files hold: they lie there and on the host, and each side gets what the other has changed when it is asked for.</summary>
internal sealed class DeviceState : IDisposable
{
    private readonly Func<Tensor> _host;
    private readonly Tensor _values;
    private bool _isHostStale, _mayHostHaveChanged;

    /// <param name="device">That works with them.</param>
    /// <param name="count">How many.</param>
    /// <param name="host">Gives the host's copy, which stays its owner's.</param>
    /// <param name="isNew">Whether they are zero on the device, and the host's copy need not be there before it is asked for; else it is what they begin with.</param>
    internal DeviceState(Device device, long count, Func<Tensor> host, bool isNew)
    {
        (_host, _values, _isHostStale, _mayHostHaveChanged) = (host, LibTorch.Empty(ScalarType.Float32, device, count), isNew, !isNew);
        if (isNew) _values.zero_();
    }

    /// <summary>How many.</summary>
    internal long Count => _values.NumberOfElements;

    /// <summary>The numbers on the device, to be changed.</summary>
    internal Tensor OnDevice
    {
        get
        {
            if (_mayHostHaveChanged) _values.copy_(_host());
            (_mayHostHaveChanged, _isHostStale) = (false, true);
            return _values;
        }
    }

    /// <summary>The host's copy. Whoever asks may fill it, too.</summary>
    internal Tensor OnHost
    {
        get
        {
            var host = _host();
            if (_isHostStale) host.copy_(_values);
            (_isHostStale, _mayHostHaveChanged) = (false, true);
            return host;
        }
    }

    public void Dispose() => _values.Dispose();
}
