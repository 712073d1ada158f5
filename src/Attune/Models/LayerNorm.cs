namespace Attune.Models;

/// <summary>Weight and bias of a LayerNorm; the mathematics is in <see cref="Kernels.ResidualNorm"/>.</summary>
/// <param name="store">Where they are declared.</param>
/// <param name="name">Of the norm in the file of weights.</param>
/// <param name="size">Of its vectors.</param>
/// <param name="hasBias">Whether it has a bias.</param>
internal sealed unsafe class LayerNorm(WeightStore store, string name, long size, bool hasBias = true)
{
    internal Weight Weight { get; } = store.DeclareScale(name + ".weight", size);

    private readonly Weight? bias = hasBias ? store.Declare(name + ".bias", decays: false, size) : null;

    /// <summary>The values of the bias; null where there is none.</summary>
    internal float* Shift => bias is null ? null : bias.Data;

    /// <summary>Where a kernel adds the bias's gradient; null where it is not trained.</summary>
    internal float* ShiftGradient() => bias is null ? null : bias.GradientToAddTo();
}
