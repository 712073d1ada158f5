using System.Buffers.Binary;
using System.Text;

namespace Attune.Formats;

/// <summary>Writes a message of protobuf in its binary form, field by field.</summary>
internal sealed class ProtobufWriter
{
    private const int Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5;     // protobuf's wire types

    private readonly List<byte> _bytes = [];

    internal byte[] ToArray() => [.. _bytes];

    internal void Number(int field, long value)
    {
        Key(field, Varint);
        Variable((ulong)value);
    }

    internal void Double(int field, double value)
    {
        Key(field, Fixed64);
        Span<byte> bytes = stackalloc byte[sizeof(double)];
        BinaryPrimitives.WriteDoubleLittleEndian(bytes, value);
        _bytes.AddRange(bytes);
    }

    internal void Single(int field, float value)
    {
        Key(field, Fixed32);
        Span<byte> bytes = stackalloc byte[sizeof(float)];
        BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
        _bytes.AddRange(bytes);
    }

    internal void Text(int field, string text) => Content(field, Encoding.UTF8.GetBytes(text));

    internal void Message(int field, Action<ProtobufWriter> write)
    {
        var inner = new ProtobufWriter();
        write(inner);
        Content(field, inner.ToArray());
    }

    internal void Content(int field, ReadOnlySpan<byte> bytes)
    {
        BeginContent(field, bytes.Length);
        _bytes.AddRange(bytes);
    }

    /// <summary>Writes what stands before a content that somebody else writes.</summary>
    /// <param name="field">Its number.</param>
    /// <param name="length">Of the content in bytes.</param>
    internal void BeginContent(int field, long length)
    {
        Key(field, Bytes);
        Variable((ulong)length);
    }

    private void Key(int field, int type) => Variable((ulong)(field << 3 | type));

    private void Variable(ulong value)
    {
        for (; value >= 0x80; value >>= 7) _bytes.Add((byte)(value | 0x80));
        _bytes.Add((byte)value);
    }
}
