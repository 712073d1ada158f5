using System.Runtime.InteropServices;

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

    /// <summary>A tensor of an open file, copied piece by piece.</summary>
    internal static TensorToWrite From(WeightFile file, WeightEntry entry) => new(entry.Name, entry.Type, entry.Shape, stream =>
    {
        const int step = 1 << 20;
        var piece = new byte[Math.Min(step, entry.ByteCount)];
        for (long done = 0; done < entry.ByteCount; done += step)
        {
            var part = piece.AsSpan(0, (int)Math.Min(step, entry.ByteCount - done));
            file.ReadPart(entry, done, part);
            stream.Write(part);
        }
    });
}
