namespace Attune.Formats;

/// <summary>A dict of a pickle, in the order of the file. Keys are texts or whole numbers; other keys are refused.</summary>
/// <param name="isOrdered">Whether Python calls it an OrderedDict.</param>
internal sealed class PickleDict(bool isOrdered)
{
    private List<KeyValuePair<object, object?>>? _pairs;
    private HashSet<object>? _keys;

    /// <summary>Whether Python calls it an OrderedDict, which may carry attributes.</summary>
    internal bool IsOrdered => isOrdered;

    /// <summary>The pairs; a key is a <see cref="string"/> or a <see cref="long"/>.</summary>
    internal IReadOnlyList<KeyValuePair<object, object?>> Pairs => _pairs ?? [];

    /// <summary>The value of a key, or null where there is none.</summary>
    internal object? this[object key] => _pairs?.Find(pair => pair.Key.Equals(key)).Value;

    /// <summary>Adds a pair; false when the key is there already.</summary>
    internal bool TryAdd(object key, object? value)
    {
        if (!(_keys ??= new(KeyComparer.Instance)).Add(key)) return false;
        (_pairs ??= []).Add(new KeyValuePair<object, object?>(key, value));
        return true;
    }
}

/// <summary>Compares the keys of a dict by their values.</summary>
/// <remarks>The runtime's own hash of a number adds its halves: a hostile file could choose numbers that all fall together.</remarks>
internal sealed class KeyComparer : IEqualityComparer<object>
{
    internal static readonly KeyComparer Instance = new();

    bool IEqualityComparer<object>.Equals(object? x, object? y) => object.Equals(x, y);

    public int GetHashCode(object key) => key is long number ? HashCode.Combine((int)number, (int)(number >> 32)) : key.GetHashCode();
}

/// <summary>A tensor of a pickle: which bytes of the file, seen through which shape and strides.</summary>
/// <param name="Name">Empty; who knows the key gives it.</param>
/// <param name="Type">The type of its elements.</param>
/// <param name="Shape">Its dimensions.</param>
/// <param name="ByteCount">Its size when laid out densely.</param>
/// <param name="Position">The place of its first element in the file.</param>
/// <param name="Strides">Elements, not bytes, from one index of a dimension to the next.</param>
internal sealed record PickledTensor(string Name, WeightType Type, long[] Shape, long ByteCount, long Position, long[] Strides)
    : WeightEntry(Name, Type, Shape, ByteCount)
{
    /// <summary>Whether its elements lie densely in row-major order.</summary>
    internal bool IsContiguous()
    {
        if (ByteCount == 0) return true;
        var expected = 1L;
        for (var i = Shape.Length - 1; i >= 0; i--)
        {
            if (Shape[i] != 1 && Strides[i] != expected) return false;
            expected *= Shape[i];
        }
        return true;
    }
}
