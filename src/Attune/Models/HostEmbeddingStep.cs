using Attune.Batching;
using Attune.Kernels;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Models;

/// <summary>The step where the processor computes.</summary>
/// <param name="batch">The rows.</param>
/// <param name="hidden">Hidden size.</param>
internal sealed unsafe class HostEmbeddingStep(Batch batch, int hidden) : EmbeddingStep
{
    private readonly Tensor _values = LibTorch.Empty(batch.Tokens, hidden);                // (T,H), the gradient, then the step

    internal override void Take(Tensor gradient)
    {
        if (!IsMade) LibTorch.Span(gradient).CopyTo(LibTorch.Span(_values));
    }

    internal override void AddTo(Tensor embeddings)
    {
        if (IsMade) EmbeddingShift.Add(LibTorch.Floats(embeddings), LibTorch.Floats(_values), batch.Tokens, hidden);
    }

    public override void Dispose() => _values.Dispose();

    private protected override void Turn(double epsilon) => EmbeddingShift.Normalise(LibTorch.Floats(_values), batch.Sequences, hidden, epsilon);
}
