using System.Runtime.InteropServices;

namespace Attune.Onnx.Export;

// Legend: B rows, S tokens of a row, I inputs, O outputs, H hidden size.

/// <summary>What all encoders are made of, in the numbers of a precision: tables, linear layers, LayerNorm.</summary>
internal sealed partial class GraphBuilder(ExportWeights weights, OnnxPrecision precision, int weightBits)
{
    private readonly Dictionary<OnnxType, string> _columns = [];

    /// <summary>What has been built.</summary>
    internal OnnxGraph Graph { get; } = new();

    /// <summary>The type in which states are computed.</summary>
    internal OnnxType Type { get; } = precision == OnnxPrecision.Fp16 ? OnnxType.Float16 : OnnxType.Float;

    /// <summary>The smallest number of <see cref="Type"/>: a score that is this gets no share, and where all are, all get the same.</summary>
    internal double Lowest => Type == OnnxType.Float16 ? (double)Half.MinValue : float.MinValue;

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
    /// <param name="hasBias">Whether there is a bias.</param>
    /// <returns>(B,S,O).</returns>
    internal string Linear(string scope, string x, string layer, long inputs, long outputs, bool hasBias = true)
    {
        weights.Require(layer + ".weight", outputs, inputs);
        var product = IsQuantized ? QuantizedProduct(scope, x, layer + ".weight", inputs, outputs)
            : Graph.Add(scope + "/MatMul", "MatMul", [x, Transposed(layer + ".weight", inputs, outputs)]);
        return hasBias ? Graph.Add(scope + "/Add", "Add", [product, Weight(layer + ".bias", outputs)]) : product;
    }

    /// <summary>The same of a constant (P,I), which a runtime computes once, when it loads the file; to (P,O).</summary>
    /// <remarks>In float32 in every precision: of float16 ONNX Runtime (1.31) has no such product for a processor, and its optimizer ends the whole program over what it cannot compute.</remarks>
    internal string LinearOfConstant(string scope, string x, string layer, long inputs, long outputs)
    {
        if (Type == OnnxType.Float) return Linear(scope, x, layer, inputs, outputs);
        weights.Require(layer + ".weight", outputs, inputs);
        var product = Graph.Add(scope + "/MatMul", "MatMul", [Wide("x", x), Wide("weight", Transposed(layer + ".weight", inputs, outputs))]);
        return Cast(scope + "/Narrow", Graph.Add(scope + "/Add", "Add", [product, Wide("bias", Weight(layer + ".bias", outputs))]), Type);

        string Wide(string what, string constant) => Cast($"{scope}/{what}/Widen", constant, OnnxType.Float);
    }

    /// <summary>The same of one line for each row, (B,I) to (B,O). It costs little, and always stays in floating point.</summary>
    internal string Head(string scope, string x, string layer, long inputs, long outputs, bool hasBias = true) => Graph.Add(scope + "/Gemm", "Gemm",
        [x, Weight(layer + ".weight", outputs, inputs), .. hasBias ? [Weight(layer + ".bias", outputs)] : Array.Empty<string>()], ("transB", 1L));

    /// <summary>LayerNorm over the last dimension, in float32 in every precision: squares of float16 overflow, and epsilon is 0 there.</summary>
    /// <remarks>In the steps that ONNX Runtime joins to one operation, since the opset has none for it; a bias is one of them.</remarks>
    internal string LayerNorm(string scope, string x, string layer, long size, double epsilon, bool hasBias = true)
    {
        scope += "/LayerNorm";
        if (Type != OnnxType.Float) x = Cast(scope + "/Widen", x, OnnxType.Float);
        var away = Graph.Add(scope + "/Sub", "Sub", [x, Mean("/Mean", x)]);
        var variance = Mean("/Variance", Graph.Add(scope + "/Pow", "Pow", [away, Single(2)]));
        var deviation = Graph.Add(scope + "/Sqrt", "Sqrt", [Graph.Add(scope + "/Epsilon", "Add", [variance, Single(epsilon)])]);
        var scaled = Graph.Add(scope + "/Mul", "Mul", [Graph.Add(scope + "/Div", "Div", [away, deviation]), Weight(layer + ".weight", OnnxType.Float, [size])]);
        var result = Graph.Add(scope + "/Add", "Add", [scaled, hasBias ? Weight(layer + ".bias", OnnxType.Float, [size]) : Zeros(size)]);
        return Type == OnnxType.Float ? result : Cast(scope + "/Narrow", result, Type);

        string Mean(string name, string of) => Graph.Add(scope + name, "ReduceMean", [of], ("axes", new long[] { -1 }));

        string Single(double value) => Graph.Number(value, OnnxType.Float);
    }

    /// <summary>The same numbers in another type.</summary>
    internal string Cast(string name, string x, OnnxType type) => Graph.Add(name, "Cast", [x], ("to", (long)type));

    /// <summary>States with zeros in the place of those that the mask hides.</summary>
    /// <param name="scope">What the names of the operations begin with.</param>
    /// <param name="x">(B,S,H).</param>
    /// <param name="mask">(B,S).</param>
    internal string ClearHidden(string scope, string x, string mask) => Graph.Add(scope + "/Clear", "Mul", [x, Column(mask, Type)]);

    /// <summary>The mask as numbers that states are multiplied by, (B,S,1).</summary>
    internal string Column(string mask, OnnxType type)
    {
        var name = $"mask/{type}";
        return _columns.TryGetValue(type, out var known) ? known
            : _columns[type] = Graph.Add(name + "/Column", "Unsqueeze", [Cast(name + "/Cast", mask, type)], ("axes", new long[] { 2 }));
    }

    /// <summary>The state of each row's first token.</summary>
    /// <param name="scope">What the name of the operation begins with.</param>
    /// <param name="x">(B,S,H).</param>
    /// <param name="keepsDimension">Whether the result is (B,1,H), and not (B,H).</param>
    internal string FirstTokens(string scope, string x, bool keepsDimension = false) => Graph.Add(scope + "/Gather", "Gather",
        [x, keepsDimension ? Graph.Numbers(0) : Graph.Number(0, OnnxType.Int64)], ("axis", 1L));

    /// <summary>A list of numbers in float32.</summary>
    internal string Singles(string name, float[] values) => Graph.Tensor(name, OnnxType.Float, [values.Length], stream => stream.Write(MemoryMarshal.AsBytes<float>(values)));

    private string Zeros(long size) => Singles($"zeros_{size}", new float[size]);

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
