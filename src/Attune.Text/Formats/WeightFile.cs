using System.Buffers;
using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Attune.Formats;

/// <summary>One tensor of a weight file.</summary>
/// <param name="Name">Its name, as the model's state dict has it.</param>
/// <param name="Type">The type of its elements.</param>
/// <param name="Shape">Its dimensions; empty for a single number.</param>
/// <param name="ByteCount">Size of its elements, stored densely in row-major order.</param>
internal record WeightEntry(string Name, WeightType Type, long[] Shape, long ByteCount);

/// <summary>Named tensors in a file or a set of files, read one at a time into memory that the caller owns.</summary>
internal abstract class WeightFile : IDisposable
{
    private const int ChunkBytes = 1 << 16;
    private Dictionary<string, WeightEntry>? _byName;

    /// <summary>The file, for messages.</summary>
    internal abstract string Path { get; }

    /// <summary>All tensors, in the order of their data.</summary>
    internal abstract IReadOnlyList<WeightEntry> Entries { get; }

    /// <summary>Texts that the writer left beside the tensors, such as <c>format</c> = <c>pt</c>.</summary>
    internal abstract IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>The tensor of this name, or null.</summary>
    internal WeightEntry? Find(string name) =>
        (_byName ??= Entries.ToDictionary(entry => entry.Name, StringComparer.Ordinal)).GetValueOrDefault(name);

    /// <summary>Copies a whole tensor, little-endian and row-major, into memory of exactly its size.</summary>
    internal void Read(WeightEntry entry, Span<byte> destination)
    {
        if (destination.Length != entry.ByteCount)
            throw new ArgumentException($"{entry.Name} has {entry.ByteCount} bytes, the destination {destination.Length}.", nameof(destination));
        ReadPart(entry, 0, destination);
    }

    /// <summary>Copies a tensor into memory of exactly its size that no span can cover.</summary>
    internal unsafe void Read(WeightEntry entry, byte* destination)
    {
        const int step = 1 << 30;
        for (long done = 0; done < entry.ByteCount; done += step)
            ReadPart(entry, done, new Span<byte>(destination + done, (int)Math.Min(step, entry.ByteCount - done)));
    }

    /// <summary>Reads a tensor of floating-point numbers as <see cref="float"/>; F16 and BF16 exactly, F64 rounded to nearest.</summary>
    /// <exception cref="AttuneException">The tensor holds whole numbers or truth values.</exception>
    internal void ReadFloats(WeightEntry entry, Span<float> destination)
    {
        if (destination.Length != entry.ByteCount / entry.Type.Size())
            throw new ArgumentException($"{entry.Name} has not {destination.Length} elements.", nameof(destination));
        if (entry.Type == WeightType.F32)
        {
            ReadPart(entry, 0, MemoryMarshal.AsBytes(destination));
            return;
        }
        RequireFloats(entry);
        var chunk = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        var perChunk = ChunkBytes / entry.Type.Size();
        for (var done = 0; done < destination.Length; done += perChunk)
        {
            var target = destination.Slice(done, Math.Min(perChunk, destination.Length - done));
            var source = chunk.AsSpan(0, target.Length * entry.Type.Size());
            ReadPart(entry, (long)done * entry.Type.Size(), source);
            Widen(entry.Type, source, target);
        }
        ArrayPool<byte>.Shared.Return(chunk);
    }

    /// <summary>Looks at every number of a tensor that was read by <see cref="ReadFloats"/>.</summary>
    /// <exception cref="AttuneException">One of them is not a number or infinite.</exception>
    internal void RequireFinite(WeightEntry entry, ReadOnlySpan<float> values)
    {
        // All bits of the exponent are set in these and no others.
        const int exponent = 0x7F800000;
        var numbers = MemoryMarshal.Cast<float, int>(values);
        var done = 0;
        var found = Vector<int>.Zero;
        for (; done <= numbers.Length - Vector<int>.Count; done += Vector<int>.Count)
            found |= Vector.Equals(new Vector<int>(numbers[done..]) & new Vector<int>(exponent), new Vector<int>(exponent));
        var isFinite = found == Vector<int>.Zero;
        for (; done < numbers.Length; done++) isFinite &= float.IsFinite(values[done]);
        if (isFinite) return;
        var index = 0;
        while (float.IsFinite(values[index])) index++;
        throw new AttuneException(string.Create(CultureInfo.InvariantCulture, $"{Path}: element {index} of the tensor {Shown.Of(entry.Name)} is {values[index]}") +
            " (as float32); the training that wrote it diverged, so take an earlier checkpoint.");
    }

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>Copies the part of a tensor that begins at an offset, a whole number of elements, counted in its dense row-major form.</summary>
    internal abstract void ReadPart(WeightEntry entry, long byteOffset, Span<byte> destination);

    private void RequireFloats(WeightEntry entry)
    {
        if (!entry.Type.IsFloat())
            throw new AttuneException($"{Path}: the tensor {Shown.Of(entry.Name)} has the type {entry.Type} where floating-point numbers " +
                "are expected; quantized weights must be converted to float32 first.");
    }

    private static void Widen(WeightType type, ReadOnlySpan<byte> source, Span<float> target)
    {
        switch (type)
        {
            case WeightType.F32:
                source.CopyTo(MemoryMarshal.AsBytes(target));
                break;
            case WeightType.F16:
                var halves = MemoryMarshal.Cast<byte, Half>(source);
                for (var i = 0; i < halves.Length; i++) target[i] = (float)halves[i];
                break;
            case WeightType.BF16:
                // bfloat16 is the upper half of a float32.
                var upper = MemoryMarshal.Cast<byte, ushort>(source);
                for (var i = 0; i < upper.Length; i++) target[i] = BitConverter.UInt32BitsToSingle((uint)upper[i] << 16);
                break;
            default:
                var doubles = MemoryMarshal.Cast<byte, double>(source);
                for (var i = 0; i < doubles.Length; i++) target[i] = (float)doubles[i];
                break;
        }
    }
}
