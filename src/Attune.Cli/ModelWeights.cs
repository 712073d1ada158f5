using System.Runtime.InteropServices;
using Attune.Formats;
using Attune.Models;

namespace Attune.Cli;

/// <summary>The weights of a loaded model as if they lay in a file: with their names of today, in float32, an adapter merged.</summary>
/// <param name="model">Has no adapter, and is not trained meanwhile.</param>
/// <param name="path">Where it was loaded from, for messages.</param>
internal sealed class ModelWeights(PreTrainedModel model, string path) : WeightFile
{
    /// <inheritdoc/>
    internal override string Path => path;

    /// <inheritdoc/>
    internal override IReadOnlyList<WeightEntry> Entries { get; } =
        [.. model.Weights.All.Select(weight => new WeightEntry(weight.Name, WeightType.F32, [.. weight.Shape], weight.NumberOfElements * sizeof(float)))];

    /// <inheritdoc/>
    internal override IReadOnlyDictionary<string, string> Metadata { get; } = new Dictionary<string, string>();

    /// <inheritdoc/>
    internal override void ReadPart(WeightEntry entry, long byteOffset, Span<byte> destination) =>
        MemoryMarshal.AsBytes(model.Weights[entry.Name].Span).Slice(checked((int)byteOffset), destination.Length).CopyTo(destination);

    /// <summary>The model is its owner's.</summary>
    public override void Dispose()
    {
    }
}
