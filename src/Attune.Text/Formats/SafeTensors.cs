using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Attune.Formats;

/// <summary>A tensor that is about to be written: what the header says of it, and how its bytes come.</summary>
/// <param name="Name">Its name in the file.</param>
/// <param name="Type">The type of its elements.</param>
/// <param name="Shape">Its dimensions.</param>
/// <param name="Write">Writes exactly its bytes, little-endian and row-major.</param>
internal sealed record TensorToWrite(string Name, WeightType Type, IReadOnlyList<long> Shape, Action<Stream> Write)
{
    /// <summary>A dense tensor at an address, which must stay valid until the file is written; nothing is copied.</summary>
    internal static unsafe TensorToWrite At(string name, WeightType type, IReadOnlyList<long> shape, nint address) => new(name, type, shape, stream =>
    {
        const int step = 1 << 24;
        var byteCount = type.ByteCount([.. shape]) ?? 0;
        for (long done = 0; done < byteCount; done += step)
            stream.Write(new ReadOnlySpan<byte>((byte*)address + done, (int)Math.Min(step, byteCount - done)));
    });

    /// <summary>A dense tensor in an array.</summary>
    internal static TensorToWrite Of<T>(string name, WeightType type, IReadOnlyList<long> shape, T[] values) where T : unmanaged =>
        new(name, type, shape, stream => stream.Write(MemoryMarshal.AsBytes<T>(values)));
}

/// <summary>Files of named tensors in the safetensors format (huggingface/safetensors), read by mapping, written deterministically.</summary>
internal sealed class SafeTensors : WeightFile
{
    private const string MetadataName = "__metadata__";
    private const int Alignment = 8;

    private readonly MappedFile _file;
    private readonly SafeTensorsHeader _header;

    private SafeTensors(MappedFile file, SafeTensorsHeader header) => (_file, _header) = (file, header);

    /// <inheritdoc/>
    internal override string Path => _file.Path;

    /// <inheritdoc/>
    internal override IReadOnlyList<WeightEntry> Entries => _header.Tensors;

    /// <inheritdoc/>
    internal override IReadOnlyDictionary<string, string> Metadata => _header.Metadata;

    /// <summary>Maps a file and checks its header.</summary>
    /// <exception cref="AttuneException">The file cannot be read or breaks a rule of the format.</exception>
    internal static SafeTensors Open(string path) => Open(MappedFile.Open(path));

    /// <summary>Checks the header of bytes that are already at hand; disposing the result disposes them.</summary>
    internal static SafeTensors Open(MappedFile file)
    {
        try
        {
            return new SafeTensors(file, SafeTensorsHeader.Read(file));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Writes a file whose bytes depend only on the tensors and the metadata, equal to those of the reference writer.</summary>
    /// <param name="path">The file, put in place whole or not at all.</param>
    /// <param name="tensors">In any order.</param>
    /// <param name="metadata">Free texts; transformers expects <c>format</c> = <c>pt</c>. Written in the order given.</param>
    /// <exception cref="AttuneException">The file cannot be written.</exception>
    internal static void Write(string path, IReadOnlyList<TensorToWrite> tensors, IReadOnlyDictionary<string, string>? metadata = null) =>
        AtomicFile.Write(path, stream => Write(stream, tensors, metadata));

    /// <summary>Writes to a stream that knows its position.</summary>
    internal static void Write(Stream stream, IReadOnlyList<TensorToWrite> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var ordered = tensors.ToArray();
        Array.Sort(ordered, (a, b) => a.Type == b.Type ? CompareBytes(a.Name, b.Name) : b.Type.CompareTo(a.Type));
        var byteCounts = Array.ConvertAll(ordered, tensor => tensor.Type.ByteCount([.. tensor.Shape])
            ?? throw new ArgumentException($"{tensor.Name} has an impossible shape.", nameof(tensors)));
        var header = Header(ordered, byteCounts, metadata);
        Span<byte> length = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        stream.Write(length);
        stream.Write(header);
        for (var i = 0; i < ordered.Length; i++)
        {
            var before = stream.Position;
            ordered[i].Write(stream);
            if (stream.Position - before != byteCounts[i])
                throw new InvalidOperationException($"{ordered[i].Name} wrote {stream.Position - before} of its {byteCounts[i]} bytes.");
        }
    }

    /// <inheritdoc/>
    internal override void ReadPart(WeightEntry entry, long byteOffset, Span<byte> destination)
    {
        var place = (SafeTensorsHeader.Located)entry;
        ArgumentOutOfRangeException.ThrowIfNegative(byteOffset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(byteOffset, place.ByteCount - destination.Length);
        _file.Slice(place.Position + byteOffset, destination.Length).CopyTo(destination);
    }

    /// <inheritdoc/>
    public override void Dispose() => _file.Dispose();

    private static byte[] Header(TensorToWrite[] ordered, long[] byteCounts, IReadOnlyDictionary<string, string>? metadata)
    {
        var json = new StringBuilder("{");
        if (metadata is not null)
        {
            Quote(json, MetadataName).Append(":{");
            foreach (var (key, value) in metadata) Quote(Quote(json, key).Append(':'), value).Append(',');
            EndList(json, '}').Append(',');
        }
        var begin = 0L;
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < ordered.Length; i++)
        {
            var tensor = ordered[i];
            if (tensor.Name == MetadataName || !names.Add(tensor.Name))
                throw new ArgumentException($"{tensor.Name} is reserved or occurs twice.", nameof(ordered));
            var end = checked(begin + byteCounts[i]);
            Quote(json, tensor.Name).Append(CultureInfo.InvariantCulture,
                $":{{\"dtype\":\"{tensor.Type}\",\"shape\":[{string.Join(',', tensor.Shape)}],\"data_offsets\":[{begin},{end}]}},");
            begin = end;
        }
        EndList(json, '}');
        var utf8 = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true).GetBytes(json.ToString());
        var padded = new byte[(utf8.Length + Alignment - 1) / Alignment * Alignment];
        padded.AsSpan().Fill((byte)' ');
        utf8.CopyTo(padded, 0);
        return padded;
    }

    private static StringBuilder EndList(StringBuilder json, char bracket)
    {
        if (json[^1] == ',') json.Length--;
        return json.Append(bracket);
    }

    // serde_json escapes only what JSON demands, control characters by their short names where they have one.
    private static StringBuilder Quote(StringBuilder json, string text)
    {
        json.Append('"');
        foreach (var character in text)
            _ = character switch
            {
                '"' => json.Append("\\\""),
                '\\' => json.Append("\\\\"),
                '\b' => json.Append("\\b"),
                '\f' => json.Append("\\f"),
                '\n' => json.Append("\\n"),
                '\r' => json.Append("\\r"),
                '\t' => json.Append("\\t"),
                < ' ' => json.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}"),
                _ => json.Append(character),
            };
        return json.Append('"');
    }

    // Names sort by their UTF-8 bytes, which is the order of code points and not that of UTF-16.
    private static int CompareBytes(string a, string b) => Encoding.UTF8.GetBytes(a).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(b));
}
