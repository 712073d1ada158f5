namespace Attune.Onnx.Export;

/// <summary>A constant of a graph. Its content is made when the file is written, and kept by nobody.</summary>
/// <param name="Name">In the graph.</param>
/// <param name="Type">Of its elements.</param>
/// <param name="Shape">Its dimensions; empty for a single number.</param>
/// <param name="Write">Writes its elements, little-endian and row-major.</param>
internal sealed record OnnxTensor(string Name, OnnxType Type, long[] Shape, Action<Stream> Write)
{
    internal long ByteCount => Shape.Aggregate((long)Type.Size(), (product, dimension) => product * dimension);
}
