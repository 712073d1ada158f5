using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Unicode;

namespace Attune.Formats;

/// <summary>What stands before the data of a safetensors file: where each tensor lies, and free texts.</summary>
/// <remarks>
/// The rules are those of the safetensors README and of its reference reader. Nothing is allocated on the word of a length in the file:
/// only what stands there is copied.
/// </remarks>
internal sealed class SafeTensorsHeader
{
    private const int LongestHeader = 100_000_000;
    private const int LengthBytes = sizeof(ulong);
    private const string MetadataName = "__metadata__";

    private readonly string _path;
    private readonly List<Located> _tensors = [];
    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);

    private SafeTensorsHeader(string path) => _path = path;

    /// <summary>The tensors in the order of their data.</summary>
    internal IReadOnlyList<Located> Tensors => _tensors;

    /// <summary>The texts of <c>__metadata__</c>, in the order of the file.</summary>
    internal IReadOnlyDictionary<string, string> Metadata => _metadata;

    /// <summary>A tensor and the place of its first byte in the file.</summary>
    internal sealed record Located(string Name, WeightType Type, long[] Shape, long ByteCount, long Position)
        : WeightEntry(Name, Type, Shape, ByteCount);

    /// <summary>Reads and checks the header of a file.</summary>
    /// <exception cref="AttuneException">It breaks a rule of the format.</exception>
    internal static SafeTensorsHeader Read(MappedFile file)
    {
        var header = new SafeTensorsHeader(file.Path);
        if (file.Length < LengthBytes) throw header.Damaged($"it has {file.Length} bytes, less than the length of a header takes");
        var length = BinaryPrimitives.ReadUInt64LittleEndian(file.Slice(0, LengthBytes));
        if (length > LongestHeader) throw header.Damaged($"its header claims {length} bytes, more than the {LongestHeader} allowed");
        if (length > (ulong)(file.Length - LengthBytes)) throw header.Damaged($"its header claims {length} bytes of a file of {file.Length}");
        var json = file.Slice(LengthBytes, (int)length);
        if (!Utf8.IsValid(json)) throw header.Damaged("its header is not UTF-8");
        try
        {
            header.Parse(json);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The reader answers a lone surrogate in an escape with an InvalidOperationException.
            throw header.Damaged("its header is not the JSON object that the format asks for", e);
        }
        header.Place(LengthBytes + (long)length, file.Length);
        return header;
    }

    private void Parse(ReadOnlySpan<byte> json)
    {
        // Leading and trailing white space is let through as in the reference reader: some writers align the data to pages with it.
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 16 });
        var names = new HashSet<string>(StringComparer.Ordinal);
        reader.Read();
        Expect(reader, JsonTokenType.StartObject);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var name = reader.GetString()!;
            if (!names.Add(name)) throw Damaged($"the name {Shown.Of(name)} occurs twice in its header");
            reader.Read();
            if (name == MetadataName) ParseMetadata(ref reader);
            else ParseTensor(ref reader, name);
        }
        Expect(reader, JsonTokenType.EndObject);
        reader.Read();                                                      // throws on anything but white space after the object
    }

    private void ParseMetadata(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.Null) return;
        Expect(reader, JsonTokenType.StartObject);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var key = reader.GetString()!;
            reader.Read();
            Expect(reader, JsonTokenType.String);
            if (!_metadata.TryAdd(key, reader.GetString()!)) throw Damaged($"the key {Shown.Of(key)} occurs twice in its {MetadataName}");
        }
    }

    private void ParseTensor(ref Utf8JsonReader reader, string name)
    {
        string? type = null;
        long[]? shape = null, offsets = null;
        Expect(reader, JsonTokenType.StartObject);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var isType = reader.ValueTextEquals("dtype"u8);
            var isShape = reader.ValueTextEquals("shape"u8);
            var isOffsets = reader.ValueTextEquals("data_offsets"u8);
            reader.Read();
            if ((isType && type is not null) || (isShape && shape is not null) || (isOffsets && offsets is not null))
                throw Damaged($"the tensor {Shown.Of(name)} has a field twice");
            if (isType)
            {
                Expect(reader, JsonTokenType.String);
                type = reader.GetString();
            }
            else if (isShape) shape = ParseNumbers(ref reader, name);
            else if (isOffsets) offsets = ParseNumbers(ref reader, name);
            else reader.Skip();                                             // fields of later versions, as the reference does
        }
        if (type is null || shape is null || offsets is not { Length: 2 })
            throw Damaged($"the tensor {Shown.Of(name)} lacks its dtype, its shape or its two data_offsets");
        if (!WeightTypes.TryParse(type, out var known))
            throw new AttuneException($"{_path}: the tensor {Shown.Of(name)} has the type {Shown.Of(type)}, which Attune does not read; " +
                "convert the weights to float32, float16 or bfloat16 first.");
        var (begin, end) = (offsets[0], offsets[1]);
        if (known.ByteCount(shape) is not { } byteCount || end - begin != byteCount)
            throw Damaged($"the tensor {Shown.Of(name)} of type {known} and shape [{Short(shape)}] does not fit its place {begin} to {end}");
        _tensors.Add(new Located(name, known, shape, byteCount, begin));
    }

    private long[] ParseNumbers(ref Utf8JsonReader reader, string name)
    {
        Expect(reader, JsonTokenType.StartArray);
        var numbers = new List<long>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            Expect(reader, JsonTokenType.Number);
            if (!reader.TryGetInt64(out var number) || reader.ValueSpan[0] == '-')
                throw Damaged($"the tensor {Shown.Of(name)} has a dimension or offset that is not a whole number from 0 to 2^63 - 1");
            numbers.Add(number);
        }
        return [.. numbers];
    }

    /// <summary>Checks that the tensors fill the data without holes and overlaps, and turns offsets into places in the file.</summary>
    private void Place(long dataBegin, long fileLength)
    {
        // By both ends: an empty tensor that begins where another does comes first.
        _tensors.Sort((a, b) => (a.Position, a.ByteCount).CompareTo((b.Position, b.ByteCount)));
        var end = 0L;
        for (var i = 0; i < _tensors.Count; i++)
        {
            var tensor = _tensors[i];
            if (tensor.Position != end)
                throw Damaged($"the tensor {Shown.Of(tensor.Name)} begins at {tensor.Position} of the data, where {end} is due");
            if (tensor.ByteCount > fileLength - dataBegin - end)
                throw Damaged($"the tensor {Shown.Of(tensor.Name)} ends beyond the file, which is {fileLength} bytes long");
            end += tensor.ByteCount;
            _tensors[i] = tensor with { Position = dataBegin + tensor.Position };
        }
        if (dataBegin + end != fileLength)
            throw Damaged($"its tensors end at byte {dataBegin + end}, the file at {fileLength}");
    }

    private void Expect(in Utf8JsonReader reader, JsonTokenType type)
    {
        if (reader.TokenType != type) throw Damaged($"its header has {reader.TokenType} where {type} is due, at byte {reader.TokenStartIndex}");
    }

    private static string Short(long[] shape) => string.Join(", ", shape.Take(8)) + (shape.Length > 8 ? ", …" : "");

    private AttuneException Damaged(string what, Exception? cause = null)
    {
        var message = $"{_path} is not a sound safetensors file: {what}; download or copy it again.";
        return cause is null ? new AttuneException(message) : new AttuneException(message, cause);
    }
}
