namespace Attune.Formats;

/// <summary>The weights of a pytorch_model.bin, read through an allow list; nothing in the file is run.</summary>
internal sealed class PickleWeights : WeightFile
{
    private readonly TorchFile _file;

    private PickleWeights(TorchFile file, IReadOnlyList<PickledTensor> entries) => (_file, Entries) = (file, entries);

    /// <inheritdoc/>
    internal override string Path => _file.Path;

    /// <inheritdoc/>
    internal override IReadOnlyList<WeightEntry> Entries { get; }

    /// <summary>Empty: the format keeps no texts.</summary>
    internal override IReadOnlyDictionary<string, string> Metadata { get; } = new Dictionary<string, string>();

    /// <summary>Opens a state dict.</summary>
    /// <exception cref="AttuneException">The file is refused by <see cref="TorchFile"/>, or holds something other than named tensors.</exception>
    internal static PickleWeights Open(string path) => Open(TorchFile.Open(path));

    /// <summary>Takes the named tensors of an open file; disposing the result disposes it.</summary>
    internal static PickleWeights Open(TorchFile file)
    {
        var entries = new List<PickledTensor>();
        foreach (var (key, value) in (file.Root as PickleDict)?.Pairs ?? [])
        {
            if (key is not string name || value is not PickledTensor tensor) break;
            entries.Add(tensor with { Name = name });
        }
        if (file.Root is PickleDict dict && entries.Count == dict.Pairs.Count) return new PickleWeights(file, entries);
        file.Dispose();
        throw new AttuneException($"{file.Path} is not a table of named tensors; it may be a training checkpoint, " +
            "so export the model's state dict from it in Python.");
    }

    /// <summary>Gives names to tensors that lie deeper in an open file, such as the states of an optimizer; disposing the result disposes it.</summary>
    internal static PickleWeights Of(TorchFile file, IEnumerable<(string Name, PickledTensor Tensor)> tensors) =>
        new(file, [.. tensors.Select(named => named.Tensor with { Name = named.Name })]);

    /// <inheritdoc/>
    internal override void ReadPart(WeightEntry entry, long byteOffset, Span<byte> destination) =>
        _file.ReadPart((PickledTensor)entry, byteOffset, destination);

    /// <inheritdoc/>
    public override void Dispose() => _file.Dispose();
}
