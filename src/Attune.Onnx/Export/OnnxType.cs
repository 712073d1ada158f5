namespace Attune.Onnx.Export;

/// <summary>The type of a tensor's elements; the numbers are those of <c>TensorProto.DataType</c>.</summary>
internal enum OnnxType
{
    Float = 1,
    Int8 = 3,
    Int64 = 7,
    Bool = 9,
    Float16 = 10,
}

internal static class OnnxTypes
{
    /// <summary>Bytes of one element.</summary>
    internal static int Size(this OnnxType type) => type switch
    {
        OnnxType.Int8 or OnnxType.Bool => 1,
        OnnxType.Float16 => 2,
        OnnxType.Float => 4,
        _ => 8,
    };
}
