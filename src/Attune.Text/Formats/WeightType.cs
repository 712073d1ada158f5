namespace Attune.Formats;

/// <summary>The type of a tensor's elements, named as the safetensors format names it.</summary>
/// <remarks>The order is that of the reference writer, which puts the tensors of later types first so that each begins aligned.</remarks>
internal enum WeightType
{
    BOOL,
    U8,
    I8,
    I16,
    U16,
    F16,
    BF16,
    I32,
    U32,
    F32,
    F64,
    I64,
    U64,
}

/// <summary>Sizes and kinds of <see cref="WeightType"/>.</summary>
internal static class WeightTypes
{
    /// <summary>Bytes of one element.</summary>
    internal static int Size(this WeightType type) => type switch
    {
        WeightType.BOOL or WeightType.U8 or WeightType.I8 => 1,
        WeightType.I16 or WeightType.U16 or WeightType.F16 or WeightType.BF16 => 2,
        WeightType.I32 or WeightType.U32 or WeightType.F32 => 4,
        WeightType.F64 or WeightType.I64 or WeightType.U64 => 8,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, null),
    };

    /// <summary>Whether the elements are floating-point numbers.</summary>
    internal static bool IsFloat(this WeightType type) =>
        type is WeightType.F16 or WeightType.BF16 or WeightType.F32 or WeightType.F64;

    /// <summary>Finds a type by its name in a safetensors header; names are case-sensitive.</summary>
    internal static bool TryParse(string name, out WeightType type) => Enum.TryParse(name, out type) && type.ToString() == name;

    /// <summary>Bytes of a dense tensor of this type and shape, or null when a dimension is negative or the product does not fit.</summary>
    internal static long? ByteCount(this WeightType type, ReadOnlySpan<long> shape)
    {
        long count = type.Size();
        foreach (var dimension in shape)
        {
            // The reference multiplies from the left and refuses an overflow even where a later dimension is 0.
            if (dimension < 0 || Math.BigMul(count, dimension, out var low) != 0 || low < 0) return null;
            count = low;
        }
        return count;
    }
}
