using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Attune.Onnx.Export;

/// <summary>The operations and constants of a model, in the order of their declaration, which is that of the computation.</summary>
internal sealed class OnnxGraph
{
    private readonly Dictionary<string, string> _constants = [];
    private readonly HashSet<string> _names = [], _tensors = [];

    /// <summary>What the model is given.</summary>
    internal List<OnnxValue> Inputs { get; } = [];

    /// <summary>What it answers.</summary>
    internal List<OnnxValue> Outputs { get; } = [];

    internal List<OnnxNode> Nodes { get; } = [];

    internal List<OnnxTensor> Tensors { get; } = [];

    /// <summary>Declares an input.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="dimensions">Its dimensions: a name each, for any size.</param>
    /// <returns>Its name.</returns>
    internal string Input(string name, params object[] dimensions)
    {
        Inputs.Add(new OnnxValue(name, OnnxType.Int64, dimensions));
        return name;
    }

    /// <summary>Declares a constant whose content is made when it is written; one that layers share is declared once.</summary>
    /// <returns>Its name.</returns>
    internal string Tensor(string name, OnnxType type, long[] shape, Action<Stream> write)
    {
        if (!_tensors.Add(name)) return name;
        RequireNew(name);
        Tensors.Add(new OnnxTensor(name, type, shape, write));
        return name;
    }

    /// <summary>One number; the same number is declared once.</summary>
    internal string Number(double value, OnnxType type)
    {
        var bytes = new byte[type.Size()];
        if (type == OnnxType.Float) BinaryPrimitives.WriteSingleLittleEndian(bytes, (float)value);
        else if (type == OnnxType.Float16) BinaryPrimitives.WriteHalfLittleEndian(bytes, (Half)value);
        else BinaryPrimitives.WriteInt64LittleEndian(bytes, (long)value);
        return Constant(FormattableString.Invariant($"{Short(type)}_{value:R}"), type, [], bytes);
    }

    /// <summary>A list of whole numbers, such as a shape; the same list is declared once.</summary>
    internal string Numbers(params long[] values) =>
        Constant("int64s_" + string.Join("_", values), OnnxType.Int64, [values.Length], MemoryMarshal.AsBytes<long>(values).ToArray());

    /// <summary>Adds an operation with one output.</summary>
    /// <returns>The name of its output.</returns>
    internal string Add(string name, string op, string[] inputs, params (string Name, object Value)[] attributes) =>
        Add(name, op, inputs, [name], attributes)[0];

    /// <summary>Adds an operation with several outputs.</summary>
    /// <returns>Their names.</returns>
    internal string[] Add(string name, string op, string[] inputs, string[] outputs, params (string Name, object Value)[] attributes)
    {
        foreach (var output in outputs) RequireNew(output);
        Nodes.Add(new OnnxNode(name, op, inputs, outputs, attributes));
        return outputs;
    }

    private string Constant(string name, OnnxType type, long[] shape, byte[] content) =>
        _constants.TryGetValue(name, out var known) ? known : _constants[name] = Tensor(name, type, shape, stream => stream.Write(content));

    private void RequireNew(string name)
    {
        if (!_names.Add(name)) throw new InvalidOperationException($"the graph has {name} already");
    }

    private static string Short(OnnxType type) => type.ToString().ToLowerInvariant();
}

/// <summary>An input or output.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Of its elements.</param>
/// <param name="Dimensions">A number, or a name where any size will do.</param>
internal sealed record OnnxValue(string Name, OnnxType Type, IReadOnlyList<object> Dimensions);
