using System.Buffers.Binary;
using System.Text;

namespace Attune.Formats;

/// <summary>The messages of TensorBoard's <c>Event</c>, in protobuf's binary form.</summary>
/// <remarks>
/// Only what a run logs: the version that a file begins with, numbers and texts. The numbers of the fields are those of event.proto,
/// summary.proto and tensor.proto of TensorFlow.
/// </remarks>
internal static class EventMessage
{
    private const int Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5;     // protobuf's wire types
    private const int DtString = 7;                                        // DataType.DT_STRING

    /// <summary>What every file begins with.</summary>
    internal static byte[] Version(double seconds) => Event(seconds, 0, write => write.Text(3, "brain.Event:2"));

    /// <summary>Numbers of one step.</summary>
    /// <param name="seconds">Since 1970.</param>
    /// <param name="step">The update.</param>
    /// <param name="values">By their tags; float32 in the file.</param>
    internal static byte[] Scalars(double seconds, long step, IEnumerable<(string Tag, double Value)> values) => Event(seconds, step, write =>
        write.Message(5, summary =>
        {
            foreach (var (tag, number) in values)
                summary.Message(1, value =>
                {
                    value.Text(1, tag);
                    value.Single(2, (float)number);
                });
        }));

    /// <summary>A text, which TensorBoard shows as Markdown.</summary>
    internal static byte[] Text(double seconds, string tag, string text) => Event(seconds, 0, write =>
        write.Message(5, summary => summary.Message(1, value =>
        {
            value.Text(1, tag);
            value.Message(9, metadata => metadata.Message(1, plugin => plugin.Text(1, "text")));
            value.Message(8, tensor =>
            {
                tensor.Number(1, DtString);
                tensor.Message(2, shape => shape.Message(2, dimension => dimension.Number(1, 1)));
                tensor.Text(8, text);
            });
        })));

    private static byte[] Event(double seconds, long step, Action<Writer> content)
    {
        var writer = new Writer();
        writer.Double(1, seconds);
        if (step != 0) writer.Number(2, step);
        content(writer);
        return writer.ToArray();
    }

    private sealed class Writer
    {
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

        internal void Message(int field, Action<Writer> write)
        {
            var inner = new Writer();
            write(inner);
            Content(field, inner.ToArray());
        }

        private void Content(int field, byte[] bytes)
        {
            Key(field, Bytes);
            Variable((ulong)bytes.Length);
            _bytes.AddRange(bytes);
        }

        private void Key(int field, int type) => Variable((ulong)(field << 3 | type));

        private void Variable(ulong value)
        {
            for (; value >= 0x80; value >>= 7) _bytes.Add((byte)(value | 0x80));
            _bytes.Add((byte)value);
        }
    }
}
