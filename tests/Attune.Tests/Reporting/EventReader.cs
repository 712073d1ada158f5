using System.Buffers.Binary;
using System.Text;

namespace Attune.Tests.Reporting;

/// <summary>What one event of a TensorBoard file says.</summary>
internal sealed record ReadEvent(double Time, long Step, string? Version, IReadOnlyList<(string Tag, float? Number, string? Text, string? Plugin)> Values);

/// <summary>Reads TensorBoard's event files, from the description of TFRecord and of the Event protobuf: nothing of it is Attune's own code.</summary>
internal static class EventReader
{
    internal static List<ReadEvent> Read(string path)
    {
        var bytes = File.ReadAllBytes(path);
        var events = new List<ReadEvent>();
        for (var at = 0; at < bytes.Length;)
        {
            var length = checked((int)BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(at)));
            Check(bytes.AsSpan(at, 8), bytes.AsSpan(at + 8), at);
            Check(bytes.AsSpan(at + 12, length), bytes.AsSpan(at + 12 + length), at);
            events.Add(Event(bytes.AsSpan(at + 12, length).ToArray()));
            at += 12 + length + 4;
        }
        return events;
    }

    private static void Check(ReadOnlySpan<byte> data, ReadOnlySpan<byte> stored, int place)
    {
        // CRC-32C bit by bit: the polynomial 0x1EDC6F41, reflected.
        var sum = 0xFFFFFFFFu;
        foreach (var value in data)
        {
            sum ^= value;
            for (var bit = 0; bit < 8; bit++) sum = (sum & 1) == 1 ? sum >> 1 ^ 0x82F63B78u : sum >> 1;
        }
        sum = ~sum;
        var masked = unchecked((sum >> 15 | sum << 17) + 0xa282ead8u);
        if (masked != BinaryPrimitives.ReadUInt32LittleEndian(stored)) throw new InvalidDataException($"the checksum at {place} is wrong");
    }

    private static ReadEvent Event(byte[] bytes)
    {
        double time = 0;
        long step = 0;
        string? version = null;
        var values = new List<(string, float?, string?, string?)>();
        foreach (var (field, number, content) in Fields(bytes))
            switch (field)
            {
                case 1: time = BitConverter.Int64BitsToDouble((long)number); break;
                case 2: step = (long)number; break;
                case 3: version = Encoding.UTF8.GetString(content); break;
                case 5:
                    values.AddRange(Fields(content).Where(inner => inner.Field == 1).Select(inner => Value(inner.Content)));
                    break;
                default: throw new InvalidDataException($"an event has a field {field}");
            }
        return new ReadEvent(time, step, version, values);
    }

    private static (string, float?, string?, string?) Value(byte[] bytes)
    {
        var tag = "";
        float? number = null;
        string? text = null, plugin = null;
        foreach (var (field, raw, content) in Fields(bytes))
            switch (field)
            {
                case 1: tag = Encoding.UTF8.GetString(content); break;
                case 2: number = BitConverter.Int32BitsToSingle((int)raw); break;
                case 8:
                    Assert.Equal(7ul, Fields(content).Single(inner => inner.Field == 1).Number);           // DT_STRING
                    text = Encoding.UTF8.GetString(Fields(content).Single(inner => inner.Field == 8).Content);
                    break;
                case 9:
                    plugin = Encoding.UTF8.GetString(Fields(Fields(content).Single(inner => inner.Field == 1).Content).Single(inner => inner.Field == 1).Content);
                    break;
                default: throw new InvalidDataException($"a value has a field {field}");
            }
        return (tag, number, text, plugin);
    }

    private static IEnumerable<(int Field, ulong Number, byte[] Content)> Fields(byte[] bytes)
    {
        var at = 0;
        while (at < bytes.Length)
        {
            var key = Variable();
            switch (key & 7)
            {
                case 0: yield return ((int)(key >> 3), Variable(), []); break;
                case 1: yield return ((int)(key >> 3), BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan((at += 8) - 8)), []); break;
                case 5: yield return ((int)(key >> 3), BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan((at += 4) - 4)), []); break;
                case 2:
                    var length = (int)Variable();
                    yield return ((int)(key >> 3), 0, bytes[at..(at += length)]);
                    break;
                default: throw new InvalidDataException("an unknown kind of field");
            }
        }

        ulong Variable()
        {
            ulong value = 0;
            for (var shift = 0; ; shift += 7)
            {
                var next = bytes[at++];
                value |= (ulong)(next & 0x7F) << shift;
                if (next < 0x80) return value;
            }
        }
    }
}
