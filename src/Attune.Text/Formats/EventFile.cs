using System.Buffers.Binary;
using System.Numerics;

namespace Attune.Formats;

/// <summary>A file of TensorBoard events: TensorFlow's records, each with its length and two checksums, one after the other.</summary>
/// <remarks>The file is opened for each record: a log comes every some seconds, and nothing is left open when a process is killed.</remarks>
internal sealed class EventFile
{
    private EventFile(string path) => Path = path;

    internal string Path { get; }

    /// <summary>Bytes so far.</summary>
    internal long Length => new FileInfo(Path) is { Exists: true } file ? file.Length : 0;

    /// <summary>Begins a file, in a folder that is made where it is missing.</summary>
    /// <param name="path">TensorBoard takes files whose name has <c>tfevents</c> in it.</param>
    /// <param name="seconds">The time since 1970.</param>
    /// <exception cref="AttuneException">It cannot be written.</exception>
    internal static EventFile Create(string path, double seconds)
    {
        AtomicFile.CreateFolder(System.IO.Path.GetDirectoryName(path)!);
        AtomicFile.Write(path, stream => stream.Write(Record(EventMessage.Version(seconds))));
        return new EventFile(path);
    }

    /// <summary>Goes on with a file after so many bytes, and takes back what follows; null where it is gone or shorter.</summary>
    internal static EventFile? Continue(string path, long length)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
            if (stream.Length < length) return null;
            stream.SetLength(length);
            return new EventFile(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Adds an event.</summary>
    /// <exception cref="AttuneException">The file cannot be written.</exception>
    internal void Add(ReadOnlySpan<byte> message)
    {
        try
        {
            using var stream = new FileStream(Path, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
            stream.Write(Record(message));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw AtomicFile.Unwritable(Path, e);
        }
    }

    private static byte[] Record(ReadOnlySpan<byte> message)
    {
        var record = new byte[sizeof(ulong) + sizeof(uint) + message.Length + sizeof(uint)];
        BinaryPrimitives.WriteUInt64LittleEndian(record, (ulong)message.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(sizeof(ulong)), MaskedSum(record.AsSpan(0, sizeof(ulong))));
        message.CopyTo(record.AsSpan(sizeof(ulong) + sizeof(uint)));
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(record.Length - sizeof(uint)), MaskedSum(message));
        return record;
    }

    /// <summary>CRC-32C, turned and shifted as TensorFlow does, so that sums of data that hold sums stay good.</summary>
    private static uint MaskedSum(ReadOnlySpan<byte> bytes)
    {
        var sum = uint.MaxValue;
        foreach (var value in bytes) sum = BitOperations.Crc32C(sum, value);
        return BitOperations.RotateRight(~sum, 15) + 0xA282EAD8;
    }
}
