using Attune.Batching;
using Attune.Kernels;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Models;

/// <summary>Where the word embeddings of a batch are moved in its second pass: the first pass leaves their gradient here, of which the step is made.</summary>
/// <param name="batch">The rows.</param>
/// <param name="hidden">Hidden size.</param>
internal sealed unsafe class EmbeddingStep(Batch batch, int hidden) : EmbeddingMove
{
    private readonly Tensor _values = LibTorch.Empty(batch.Tokens, hidden);                // (T,H), the gradient, then the step

    /// <summary>Whether the step is made; before, a pass has its embeddings where they are.</summary>
    internal bool IsMade { get; private set; }

    /// <summary>Takes the gradient of the word embeddings, (T,H).</summary>
    internal override void Take(Tensor gradient)
    {
        if (!IsMade) LibTorch.Span(gradient).CopyTo(LibTorch.Span(_values));
    }

    /// <summary>Makes the step of the gradient that was taken: of each row one of the length epsilon along it.</summary>
    internal void Make(double epsilon)
    {
        EmbeddingShift.Normalise(LibTorch.Floats(_values), batch.Sequences, hidden, epsilon);
        IsMade = true;
    }

    /// <summary>Moves embeddings, (T,H), where the step is made.</summary>
    internal override void AddTo(Tensor embeddings)
    {
        if (IsMade) EmbeddingShift.Add(LibTorch.Floats(embeddings), LibTorch.Floats(_values), batch.Tokens, hidden);
    }

    public override void Dispose() => _values.Dispose();
}
