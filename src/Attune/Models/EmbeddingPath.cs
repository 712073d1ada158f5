using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Models;

/// <summary>
/// Copies of one row, the word embeddings of each at another place of the straight way from a baseline to the row: for <see cref="IntegratedGradients"/>.
/// </summary>
/// <param name="way">(T,H) of one copy: the row's word embeddings less the baseline's.</param>
/// <param name="places">Of each copy where it is, 0 (the baseline) to 1 (the row itself).</param>
internal sealed class EmbeddingPath(float[] way, double[] places) : EmbeddingMove
{
    private readonly float[] _gradients = new float[way.Length * places.Length];

    /// <summary>The gradients of the copies' word embeddings, one copy after the other; there after backward.</summary>
    internal ReadOnlySpan<float> GradientOf(int copy) => _gradients.AsSpan(copy * way.Length, way.Length);

    internal override void AddTo(Tensor embeddings)
    {
        var values = LibTorch.Span(embeddings);
        for (var copy = 0; copy < places.Length; copy++)
        {
            var back = (float)(places[copy] - 1);
            var own = values.Slice(copy * way.Length, way.Length);
            for (var i = 0; i < way.Length; i++) own[i] += back * way[i];
        }
    }

    internal override void Take(Tensor gradient) => LibTorch.Span(gradient).CopyTo(_gradients);

    public override void Dispose()
    {
    }
}
