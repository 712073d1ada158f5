using System.Diagnostics;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Attune.Native;

/// <summary>Numbers that a device is still computing: they come to this machine's memory by a copy that nobody waits for until they are asked for.</summary>
internal sealed unsafe class LateNumbers : IDisposable
{
    /// <summary>A float32 that is not a number and that no computation gives: it stands where nothing has come yet.</summary>
    private const int NotHere = 0x7fdead01;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Tensor _device, _host;
    private readonly int _count;

    /// <param name="numbers">Flat, float32; belongs to this from now on.</param>
    internal LateNumbers(Tensor numbers)
    {
        (_device, _count) = (numbers.DetachFromDisposeScope(), (int)numbers.NumberOfElements);
        using var empty = LibTorch.Empty(_count);
        // Only into memory that stays where it is does a device copy by itself.
        _host = (numbers.device.type == TorchSharp.DeviceType.CPU ? empty.alias() : empty.pin_memory()).DetachFromDisposeScope();
        MemoryMarshal.Cast<float, int>(LibTorch.Span(_host)).Fill(NotHere);
        _host.copy_(_device, nonBlocking: true);
    }

    /// <summary>Whether they have come, so that <see cref="Read"/> does not wait.</summary>
    internal bool AreHere
    {
        get
        {
            var cells = (int*)LibTorch.Floats(_host);
            for (var i = 0; i < _count; i++)
                if (Volatile.Read(ref cells[i]) == NotHere) return false;
            return true;
        }
    }

    /// <summary>The numbers, when they have come.</summary>
    /// <exception cref="ExternalException">The device has failed meanwhile.</exception>
    internal float[] Read()
    {
        var (wait, begun) = (new SpinWait(), Stopwatch.GetTimestamp());
        while (!AreHere)
        {
            wait.SpinOnce(sleep1Threshold: -1);
            if (Stopwatch.GetElapsedTime(begun) > Patience) cuda.synchronize(_device.device);    // says what has gone wrong there
        }
        return LibTorch.Span(_host).ToArray();
    }

    public void Dispose()
    {
        _device.Dispose();
        _host.Dispose();
    }
}
