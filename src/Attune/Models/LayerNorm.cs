namespace Attune.Models;

/// <summary>Weight and bias of a LayerNorm; the mathematics is in <see cref="Kernels.ResidualNorm"/>.</summary>
internal sealed class LayerNorm(WeightStore store, string name, long size)
{
    internal Weight Weight { get; } = store.DeclareScale(name + ".weight", size);

    internal Weight Bias { get; } = store.Declare(name + ".bias", decays: false, size);
}
