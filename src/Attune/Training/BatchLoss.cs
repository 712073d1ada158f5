using static TorchSharp.torch;

namespace Attune.Training;

/// <summary>The loss of a batch: a number, or one that a device is still computing.</summary>
internal readonly struct BatchLoss
{
    private readonly double _value;

    private BatchLoss(double value, Tensor? onDevice) => (_value, OnDevice) = (value, onDevice);

    /// <summary>One float32 where the device has it; null where it is known. Belongs to whoever has the loss.</summary>
    internal Tensor? OnDevice { get; }

    /// <summary>The number; waits for the device.</summary>
    internal double Value => OnDevice is null ? _value : OnDevice.item<float>();

    /// <summary>That of a device.</summary>
    internal static BatchLoss Of(Tensor onDevice) => new(0, onDevice);

    public static implicit operator BatchLoss(double value) => new(value, null);

    /// <summary>What is not added to anything yet stays where it is.</summary>
    public static BatchLoss operator +(BatchLoss one, BatchLoss other) => (one, other) switch
    {
        ({ OnDevice: { } a }, { OnDevice: { } b }) => Sum(a, b),
        ({ OnDevice: null, _value: 0 }, _) => other,
        (_, { OnDevice: null, _value: 0 }) => one,
        _ => one.Value + other.Value,
    };

    public static BatchLoss operator /(BatchLoss loss, double by)
    {
        if (loss.OnDevice is not { } own) return loss._value / by;
        if (by == 1) return loss;
        using (own) return Of((own / by).DetachFromDisposeScope());
    }

    private static BatchLoss Sum(Tensor one, Tensor other)
    {
        using (one)
        using (other) return Of((one + other).DetachFromDisposeScope());
    }
}
