using Attune.Formats;

namespace Attune.Onnx.Export;

/// <summary>Writes a graph as a file of ONNX, constants one at a time.</summary>
/// <remarks>The numbers of the fields are those of onnx.proto.</remarks>
internal sealed class OnnxFile(OnnxGraph graph, IReadOnlyList<KeyValuePair<string, string>> metadata)
{
    /// <summary>
    /// The version of the operators. It has all that is needed for every precision, and ONNX Runtime joins the attention of a BERT to one operation
    /// only where the operators are not newer.
    /// </summary>
    internal const int Opset = 12;

    /// <summary>The version of the file's form that came with <see cref="Opset"/>.</summary>
    internal const int IrVersion = 7;

    /// <summary>What the content of the constants may come to in the file itself: protobuf ends at 2 GB.</summary>
    internal const long MostInside = 2_000_000_000;

    private const int External = 1;                                        // TensorProto.DataLocation
    private const long Alignment = 4096;                                   // so that a runtime can map each constant
    private const long LeastOutside = 1024;                                // small ones stay inside: shapes must be there to load a graph

    /// <summary>What is added to the name of the file for that of the constants, where these lie outside.</summary>
    internal const string DataSuffix = "_data";

    /// <summary>Whether the constants lie in a file of their own.</summary>
    internal bool IsSplit(long mostInside = MostInside) => graph.Tensors.Sum(tensor => tensor.ByteCount) > mostInside;

    /// <summary>Writes the model in one file.</summary>
    internal void Write(Stream stream) => Write(stream, dataName: null);

    /// <summary>Writes the model without the content of its large constants.</summary>
    /// <param name="stream">The file.</param>
    /// <param name="dataName">Name of the file beside it that <see cref="WriteData"/> fills; null where there is none.</param>
    internal void Write(Stream stream, string? dataName)
    {
        var places = dataName is null ? [] : Places();
        var heads = graph.Tensors.ConvertAll(tensor => Head(tensor, places, dataName));
        var rest = Rest();
        long length = rest.Length;
        for (var i = 0; i < heads.Count; i++)
            length += heads[i].Length + (places.ContainsKey(graph.Tensors[i]) ? 0 : graph.Tensors[i].ByteCount);

        var model = new ProtobufWriter();
        model.Number(1, IrVersion);
        model.Text(2, "Attune");
        model.Text(3, ProducerVersion);
        model.Message(8, opset =>
        {
            opset.Text(1, "");
            opset.Number(2, Opset);
        });
        foreach (var (key, value) in metadata)
            model.Message(14, entry =>
            {
                entry.Text(1, key);
                entry.Text(2, value);
            });
        model.BeginContent(7, length);
        stream.Write(model.ToArray());
        stream.Write(rest);
        foreach (var (tensor, head) in graph.Tensors.Zip(heads))
        {
            stream.Write(head);
            if (!places.ContainsKey(tensor)) tensor.Write(stream);
        }
    }

    /// <summary>Writes the content of the large constants.</summary>
    internal void WriteData(Stream stream)
    {
        var padding = new byte[Alignment];
        long done = 0;
        foreach (var (tensor, offset) in Places())
        {
            stream.Write(padding.AsSpan(0, (int)(offset - done)));
            tensor.Write(stream);
            done = offset + tensor.ByteCount;
        }
    }

    internal static string ProducerVersion => typeof(OnnxFile).Assembly.GetName().Version!.ToString(3);

    /// <summary>Where the large constants begin in the file of their own, in its order.</summary>
    private OrderedDictionary<OnnxTensor, long> Places()
    {
        var places = new OrderedDictionary<OnnxTensor, long>(ReferenceEqualityComparer.Instance);
        long end = 0;
        foreach (var tensor in graph.Tensors.Where(tensor => tensor.ByteCount >= LeastOutside))
        {
            var begin = (end + Alignment - 1) / Alignment * Alignment;
            places.Add(tensor, begin);
            end = begin + tensor.ByteCount;
        }
        return places;
    }

    /// <summary>A constant as a field of the graph, up to its content.</summary>
    private static byte[] Head(OnnxTensor tensor, OrderedDictionary<OnnxTensor, long> places, string? dataName)
    {
        var proto = new ProtobufWriter();
        foreach (var dimension in tensor.Shape) proto.Number(1, dimension);
        proto.Number(2, (long)tensor.Type);
        proto.Text(8, tensor.Name);
        var isOutside = places.TryGetValue(tensor, out var offset);
        if (isOutside)
        {
            foreach (var (key, value) in new[] { ("location", dataName!), ("offset", $"{offset}"), ("length", $"{tensor.ByteCount}") })
                proto.Message(13, entry =>
                {
                    entry.Text(1, key);
                    entry.Text(2, value);
                });
            proto.Number(14, External);
        }
        else proto.BeginContent(9, tensor.ByteCount);
        var bytes = proto.ToArray();
        var field = new ProtobufWriter();
        field.BeginContent(5, bytes.Length + (isOutside ? 0 : tensor.ByteCount));
        return [.. field.ToArray(), .. bytes];
    }

    /// <summary>Everything of the graph but its constants.</summary>
    private byte[] Rest()
    {
        var proto = new ProtobufWriter();
        foreach (var node in graph.Nodes) proto.Message(1, message => Write(message, node));
        proto.Text(2, "classifier");
        foreach (var input in graph.Inputs) proto.Message(11, message => Write(message, input));
        foreach (var output in graph.Outputs) proto.Message(12, message => Write(message, output));
        return proto.ToArray();
    }

    private static void Write(ProtobufWriter proto, OnnxNode node)
    {
        foreach (var input in node.Inputs) proto.Text(1, input);
        foreach (var output in node.Outputs) proto.Text(2, output);
        proto.Text(3, node.Name);
        proto.Text(4, node.Operator);
        foreach (var (name, value) in node.Attributes)
            proto.Message(5, attribute =>
            {
                const int single = 1, whole = 2, wholes = 7;               // AttributeProto.AttributeType
                attribute.Text(1, name);
                if (value is float number) attribute.Single(2, number);
                else if (value is long[] list) foreach (var item in list) attribute.Number(8, item);
                else attribute.Number(3, (long)value);
                attribute.Number(20, value is float ? single : value is long[] ? wholes : whole);
            });
    }

    private static void Write(ProtobufWriter proto, OnnxValue value)
    {
        proto.Text(1, value.Name);
        proto.Message(2, type => type.Message(1, tensor =>
        {
            tensor.Number(1, (long)value.Type);
            tensor.Message(2, shape =>
            {
                foreach (var dimension in value.Dimensions)
                    shape.Message(1, item =>
                    {
                        if (dimension is string name) item.Text(2, name);
                        else item.Number(1, (long)dimension);
                    });
            });
        }));
    }
}
