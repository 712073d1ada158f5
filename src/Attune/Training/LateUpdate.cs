using System.Collections;
using Attune.Native;

namespace Attune.Training;

/// <summary>An update that a device is still making, or has decided to skip: its losses, of which nobody waits for any until it asks.</summary>
/// <param name="numbers">The losses and, where it is computed, the length of the gradient behind them; belongs to this from now on.</param>
/// <param name="batches">Rows of each of its batches.</param>
/// <param name="update">Updates made before.</param>
internal sealed class LateUpdate(LateNumbers numbers, int[][] batches, long update) : IReadOnlyList<double>
{
    private float[]? _read;

    /// <summary>Rows of each batch.</summary>
    internal int[][] Batches => batches;

    /// <summary>Updates made before.</summary>
    internal long Update => update;

    /// <summary>Whether what is asked for is here.</summary>
    internal bool IsKnown => _read is not null || numbers.AreHere;

    /// <summary>Length of the gradient before clipping; null where it is not clipped.</summary>
    internal double? GradNorm => Read() is { } all && all.Length > batches.Length ? all[^1] : null;

    /// <summary>Whether the device has made it: all its numbers are finite.</summary>
    internal bool IsMade => Array.TrueForAll(Read(), float.IsFinite);

    /// <inheritdoc/>
    public int Count => batches.Length;

    /// <inheritdoc/>
    public double this[int batch] => Read()[batch];

    /// <inheritdoc/>
    public IEnumerator<double> GetEnumerator() => Read().Take(Count).Select(loss => (double)loss).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private float[] Read()
    {
        if (_read is not null) return _read;
        _read = numbers.Read();
        numbers.Dispose();
        return _read;
    }
}
