namespace Attune.Formats;

/// <summary>A file that torch.save wrote: one object, whose tensors are read on demand.</summary>
internal sealed class TorchFile : IDisposable
{
    private const int LargestPickle = 64 << 20;
    private readonly MappedFile _file;

    private TorchFile(MappedFile file, object? root) => (_file, Root) = (file, root);

    /// <summary>The file, for messages.</summary>
    internal string Path => _file.Path;

    /// <summary>The object, in the values that <see cref="PickleReader"/> gives.</summary>
    internal object? Root { get; }

    /// <summary>Maps a file and reads its object.</summary>
    /// <exception cref="AttuneException">It is damaged, of the old format, big-endian, or asks for more than plain data and tensors.</exception>
    internal static TorchFile Open(string path) => Open(MappedFile.Open(path));

    /// <summary>Reads the object of bytes that are already at hand; disposing the result disposes them.</summary>
    internal static TorchFile Open(MappedFile file)
    {
        try
        {
            return new TorchFile(file, ReadRoot(file));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Copies a part of a tensor, laid out densely in row-major order.</summary>
    /// <param name="tensor">A tensor of this file.</param>
    /// <param name="byteOffset">Where the part begins in the dense layout; a whole number of elements.</param>
    /// <param name="destination">Takes the part; a whole number of elements.</param>
    internal void ReadPart(PickledTensor tensor, long byteOffset, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(byteOffset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(byteOffset, tensor.ByteCount - destination.Length);
        if (tensor.IsContiguous())
        {
            _file.Slice(tensor.Position + byteOffset, destination.Length).CopyTo(destination);
            return;
        }
        var size = tensor.Type.Size();
        var rank = tensor.Shape.Length;
        Span<long> index = stackalloc long[rank];
        var (rest, element) = (byteOffset / size, 0L);
        for (var i = rank - 1; i >= 0; i--)
        {
            (rest, index[i]) = Math.DivRem(rest, tensor.Shape[i]);
            element += index[i] * tensor.Strides[i];
        }
        for (var done = 0; done < destination.Length; done += size)
        {
            _file.Slice(tensor.Position + (element * size), size).CopyTo(destination[done..]);
            for (var i = rank - 1; i >= 0; i--)
            {
                element += tensor.Strides[i];
                if (++index[i] < tensor.Shape[i]) break;
                element -= tensor.Shape[i] * tensor.Strides[i];
                index[i] = 0;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static object? ReadRoot(MappedFile file)
    {
        const string pickleName = "data.pkl";
        var zip = TorchZip.Read(file);
        var pickles = zip.Names.Where(name => name == pickleName || name.EndsWith("/" + pickleName, StringComparison.Ordinal)).Take(2).ToArray();
        if (pickles.Length != 1)
            throw new AttuneException($"{file.Path} has {(pickles.Length == 0 ? "no" : "more than one")} {pickleName}, so PyTorch did not write it; " +
                "do not use this file.");
        var folder = pickles[0][..^pickleName.Length];
        if (zip.Find(folder + "byteorder") is { } order && !file.Slice(order.Position, (int)Math.Min(order.Length, 16)).SequenceEqual("little"u8))
            throw new AttuneException($"{file.Path} was written on a big-endian machine, whose numbers Attune does not turn around; " +
                "convert it to safetensors in Python.");
        var pickle = zip.Find(pickles[0])!.Value;
        if (pickle.Length > LargestPickle)
            throw new AttuneException($"{file.Path}: its {pickleName} has {pickle.Length} bytes, more than the {LargestPickle} allowed; do not use this file.");
        return PickleReader.Read(file.Slice(pickle.Position, (int)pickle.Length), $"{file.Path}, {pickles[0]}", key => zip.Find($"{folder}data/{key}"));
    }
}
