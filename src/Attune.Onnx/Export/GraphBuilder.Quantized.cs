using System.Runtime.InteropServices;

namespace Attune.Onnx.Export;

// Dynamic quantization: weights are whole numbers with a factor for each output, states become whole numbers when they are computed.
internal sealed partial class GraphBuilder
{
    private readonly Dictionary<string, string[]> _quantized = [];

    /// <summary>x W' in whole numbers; the layers that read one state share its rounding.</summary>
    private string QuantizedProduct(string scope, string x, string name, long inputs, long outputs)
    {
        if (!_quantized.TryGetValue(x, out var rounded))
            _quantized[x] = rounded = Graph.Add(x + "/DynamicQuantizeLinear", "DynamicQuantizeLinear", [x], [x + "/rounded", x + "/scale", x + "/zero"]);
        var matrix = Graph.Tensor(name + "_quantized", OnnxType.Int8, [inputs, outputs],
            stream => stream.Write(MemoryMarshal.AsBytes<sbyte>(Quantized(name, outputs, weightBits).Transposed())));
        var scale = Graph.Tensor(name + "_scale", OnnxType.Float, [outputs],
            stream => stream.Write(MemoryMarshal.AsBytes<float>(Quantized(name, outputs, weightBits).Scales)));
        var zero = Graph.Tensor(name + "_zero_point", OnnxType.Int8, [outputs], stream => stream.Write(new byte[outputs]));
        var product = Graph.Add(scope + "/MatMulInteger", "MatMulInteger", [rounded[0], matrix, rounded[2], zero]);
        var number = Cast(scope + "/Cast", product, OnnxType.Float);
        var factor = Graph.Add(scope + "/Scale", "Mul", [rounded[1], scale]);
        return Graph.Add(scope + "/Mul", "Mul", [number, factor]);
    }

    /// <summary>Rows of a table of whole numbers, each with its own factor. Nothing is summed up here: these are of 8 bits on every processor.</summary>
    private string QuantizedEmbedding(string scope, string ids, string table, long[] shape)
    {
        const int bits = 8;
        weights.Require(table, shape);
        var values = Graph.Tensor(table + "_quantized", OnnxType.Int8, shape,
            stream => stream.Write(MemoryMarshal.AsBytes<sbyte>(Quantized(table, shape[0], bits).Values)));
        var scales = Graph.Tensor(table + "_scale", OnnxType.Float, [shape[0], 1],
            stream => stream.Write(MemoryMarshal.AsBytes<float>(Quantized(table, shape[0], bits).Scales)));
        var rows = Graph.Add(scope + "/Gather", "Gather", [values, ids]);
        var numbers = Cast(scope + "/Cast", rows, OnnxType.Float);
        return Graph.Add(scope + "/Mul", "Mul", [numbers, Graph.Add(scope + "/Scale", "Gather", [scales, ids])]);
    }

    private QuantizedRows Quantized(string name, long rows, int bits) => QuantizedRows.Of(weights.Read(name), (int)rows, bits);
}
