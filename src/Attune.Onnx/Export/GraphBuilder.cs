using System.Runtime.InteropServices;

namespace Attune.Onnx.Export;

// Legend: B rows, S tokens of a row, I inputs, O outputs, H hidden size.

/// <summary>What all encoders are made of, in the numbers of a precision: tables, linear layers, LayerNorm.</summary>
internal sealed partial class GraphBuilder(ExportWeights weights, OnnxPrecision precision, int weightBits)
{
    /// <summary>What has been built.</summary>
    internal OnnxGraph Graph { get; } = new();

    /// <summary>The type in which states are computed.</summary>
    internal OnnxType Type { get; } = precision == OnnxPrecision.Fp16 ? OnnxType.Float16 : OnnxType.Float;

    private bool IsQuantized => precision == OnnxPrecision.Int8;

    /// <summary>A number as an input of an operation.</summary>
    internal string Number(double value) => Graph.Number(value, Type);

    /// <summary>A weight as it is.</summary>
    internal string Weight(string name, params long[] shape) => Weight(name, Type, shape);

    /// <summary>The rows of a table that ids name.</summary>
    /// <param name="scope">What the names of the operations begin with.</param>
    /// <param name="ids">(B,S).</param>
    /// <param name="table">Name of the weight.</param>
    /// <param name="shape">Its rows and columns.</param>
    /// <returns>(B,S,H).</returns>
    internal string Embedding(string scope, string ids, string table, params long[] shape) => IsQuantized
        ? QuantizedEmbedding(scope, ids, table, shape)
        : Graph.Add(scope + "/Gather", "Gather", [Weight(table, shape), ids]);

    /// <summary>x W' + bias for each token.</summary>
    /// <param name="scope">What the names of the operations begin with.</param>
    /// <param name="x">(B,S,I).</param>
    /// <param name="layer">Name of the layer: its weights are layer.weight (O,I) and layer.bias (O).</param>
    /// <param name="inputs">I.</param>
    /// <param name="outputs">O.</param>
    /// <returns>(B,S,O).</returns>
    internal string Linear(string scope, string x, string layer, long inputs, long outputs)
    {
        weights.Require(layer + ".weight", outputs, inputs);
        var product = IsQuantized ? QuantizedProduct(scope, x, layer + ".weight", inputs, outputs)
            : Graph.Add(scope + "/MatMul", "MatMul", [x, Transposed(layer + ".weight", inputs, outputs)]);
        return Graph.Add(scope + "/Add", "Add", [product, Weight(layer + ".bias", outputs)]);
    }

    /// <summary>The same of one line for each row, (B,I) to (B,O). It costs little, and always stays in floating point.</summary>
    internal string Head(string scope, string x, string layer, long inputs, long outputs) => Graph.Add(scope + "/Gemm", "Gemm",
        [x, Weight(layer + ".weight", outputs, inputs), Weight(layer + ".bias", outputs)], ("transB", 1L));

    /// <summary>LayerNorm over the last dimension, in float32 in every precision: squares of float16 overflow, and epsilon is 0 there.</summary>
    /// <remarks>In the steps that ONNX Runtime joins to one operation, since the opset has none for it.</remarks>
    internal string LayerNorm(string scope, string x, string layer, long size, double epsilon)
    {
        scope += "/LayerNorm";
        if (Type != OnnxType.Float) x = Cast(scope + "/Widen", x, OnnxType.Float);
        var away = Graph.Add(scope + "/Sub", "Sub", [x, Mean("/Mean", x)]);
        var variance = Mean("/Variance", Graph.Add(scope + "/Pow", "Pow", [away, Single(2)]));
        var deviation = Graph.Add(scope + "/Sqrt", "Sqrt", [Graph.Add(scope + "/Epsilon", "Add", [variance, Single(epsilon)])]);
        var scaled = Graph.Add(scope + "/Mul", "Mul", [Graph.Add(scope + "/Div", "Div", [away, deviation]), Weight(layer + ".weight", OnnxType.Float, [size])]);
        var result = Graph.Add(scope + "/Add", "Add", [scaled, Weight(layer + ".bias", OnnxType.Float, [size])]);
        return Type == OnnxType.Float ? result : Cast(scope + "/Narrow", result, Type);

        string Mean(string name, string of) => Graph.Add(scope + name, "ReduceMean", [of], ("axes", new long[] { -1 }));

        string Single(double value) => Graph.Number(value, OnnxType.Float);
    }

    /// <summary>The same numbers in another type.</summary>
    internal string Cast(string name, string x, OnnxType type) => Graph.Add(name, "Cast", [x], ("to", (long)type));

    /// <summary>The state of each row's first token.</summary>
    /// <param name="scope">What the name of the operation begins with.</param>
    /// <param name="x">(B,S,H).</param>
    /// <param name="keepsDimension">Whether the result is (B,1,H), and not (B,H).</param>
    internal string FirstTokens(string scope, string x, bool keepsDimension = false) => Graph.Add(scope + "/Gather", "Gather",
        [x, keepsDimension ? Graph.Numbers(0) : Graph.Number(0, OnnxType.Int64)], ("axis", 1L));

    private string Weight(string name, OnnxType type, long[] shape)
    {
        weights.Require(name, shape);
        return Graph.Tensor(name, type, shape, stream => WriteFloats(stream, weights.Read(name), name, type));
    }

    private string Transposed(string name, long inputs, long outputs) =>
        Graph.Tensor(name, Type, [inputs, outputs], stream => WriteFloats(stream, weights.ReadTransposed(name), name, Type));

    private static void WriteFloats(Stream stream, float[] values, string name, OnnxType type)
    {
        if (type == OnnxType.Float)
        {
            stream.Write(MemoryMarshal.AsBytes<float>(values));
            return;
        }
        var halves = new Half[values.Length];
        for (var i = 0; i < values.Length; i++)
        {
            halves[i] = (Half)values[i];
            if (!Half.IsFinite(halves[i]))
                throw new AttuneException(FormattableString.Invariant($"{name} has the value {values[i]}, which float16 cannot hold; export with --precision fp32 or int8."));
        }
        stream.Write(MemoryMarshal.AsBytes<Half>(halves));
    }
}
