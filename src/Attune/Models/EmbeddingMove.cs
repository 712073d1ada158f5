using static TorchSharp.torch;

namespace Attune.Models;

/// <summary>What moves the word embeddings of a batch in a pass over it, or takes their gradient.</summary>
internal abstract class EmbeddingMove : IDisposable
{
    /// <summary>Moves embeddings, (T,H).</summary>
    internal abstract void AddTo(Tensor embeddings);

    /// <summary>Takes the gradient of the word embeddings, (T,H), where the processor computes; else autograd brings it.</summary>
    internal virtual void Take(Tensor gradient)
    {
    }

    public abstract void Dispose();
}
