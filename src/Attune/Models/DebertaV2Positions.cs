using Attune.Kernels;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: P relative positions that a batch meets, H hidden size.

/// <summary>DeBERTa's embeddings of relative positions, which all layers read, with their LayerNorm.</summary>
internal sealed unsafe class DebertaV2Positions(WeightStore store, string name, DebertaV2Config config)
{
    private Weight? rel_embeddings;
    private LayerNorm? layerNorm;

    /// <summary>Whether a gradient of them is wanted.</summary>
    internal bool AreTrained => rel_embeddings!.RequiresGrad || layerNorm?.Weight.RequiresGrad == true;

    internal void Declare()
    {
        if (config.RelativeAttention) rel_embeddings = store.Declare(name + ".rel_embeddings.weight", decays: true, config.RelativePositions, config.HiddenSize);
        if (config.NormalisesPositions) layerNorm = new(store, name + ".LayerNorm", config.HiddenSize);
    }

    /// <summary>The embeddings that a batch meets, and the bucket of each of its distances among them.</summary>
    internal (Lines Lines, int[] BucketOf) Read(Sequences sequences)
    {
        var bucketOf = RelativeBuckets.Table(sequences.LongestSpan, config.BucketOf);
        int first = bucketOf.Min(), count = bucketOf.Max() - first + 1, hidden = config.HiddenSize;
        var unit = LibTorch.Empty(count, hidden);
        new Span<float>(rel_embeddings!.Data + (long)first * hidden, count * hidden).CopyTo(LibTorch.Span(unit));
        var lines = new Lines(first, unit);
        if (layerNorm is not null)
        {
            (lines.Values, lines.Inverse) = (LibTorch.Empty(count, hidden), LibTorch.Empty(count));
            ResidualNorm.Forward(LibTorch.Floats(unit), null, null, layerNorm.Weight.Data, layerNorm.Shift, config.LayerNormEps,
                LibTorch.Floats(lines.Values), LibTorch.Floats(lines.Inverse), lines.Numbers, hidden, Dropout.None);
        }
        return (lines, Array.ConvertAll(bucketOf, bucket => bucket - first));
    }

    /// <summary>Adds what one layer gives.</summary>
    /// <param name="lines">From <see cref="Read"/>.</param>
    /// <param name="gradient">(P,H); overwritten.</param>
    internal void AddGradient(Lines lines, Tensor gradient)
    {
        var (outer, hidden) = ((nint)LibTorch.Floats(gradient), config.HiddenSize);
        if (layerNorm is not null)
            ResidualNorm.Backward((float*)outer, LibTorch.Floats(lines.Unit), layerNorm.Weight.Data, LibTorch.Floats(lines.Inverse!), (float*)outer,
                layerNorm.Weight.GradientToAddTo(), layerNorm.ShiftGradient(), null, lines.Numbers, hidden, Dropout.None);
        var table = rel_embeddings!.GradientToAddTo();
        if (table is not null) Vectors.Add(table + (long)lines.First * hidden, (float*)outer, lines.Numbers.Count * hidden);
    }

    /// <summary>Some of the embeddings, one after the other.</summary>
    /// <param name="first">The first of them.</param>
    /// <param name="unit">(P,H), before weight and bias of the norm.</param>
    internal sealed class Lines(int first, Tensor unit) : IDisposable
    {
        internal int First { get; } = first;

        internal Tensor Unit { get; } = unit;

        internal Tensor Values { get; set; } = unit;                                                                   // (P,H)

        internal Tensor? Inverse { get; set; }                                                                         // (P)

        /// <summary>For dropout: no row of an update has this number, and an embedding has the same factors in every batch of it.</summary>
        internal Sequences.Lines Numbers { get; } =
            new([.. Enumerable.Repeat(int.MaxValue, (int)unit.shape[0])], [.. Enumerable.Range(first, (int)unit.shape[0])]);

        public void Dispose()
        {
            if (!ReferenceEquals(Values, Unit)) Values.Dispose();
            Unit.Dispose();
            Inverse?.Dispose();
        }
    }
}
