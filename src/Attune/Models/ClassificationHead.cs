using static TorchSharp.torch;

namespace Attune.Models;

// Legend: L lines of the encoder's output (R, or all tokens where the head reads all), R rows, H hidden size, C classes.

/// <summary>What makes logits of the encoder's states, and takes their gradient back.</summary>
internal abstract class ClassificationHead : IDisposable
{
    /// <param name="states">(L,H); belongs to <paramref name="saved"/> from now on, and may be overwritten.</param>
    /// <param name="pass">Without a key in evaluation.</param>
    /// <param name="saved">What backward needs.</param>
    /// <returns>(R,C).</returns>
    internal abstract Tensor Forward(Tensor states, LayerPass pass, out Saved saved);

    /// <summary>Adds the gradients of the head's weights that are trained.</summary>
    /// <param name="saved">From <see cref="Forward"/>.</param>
    /// <param name="pass">As in <see cref="Forward"/>.</param>
    /// <param name="gradient">(R,C) of the logits.</param>
    /// <param name="wantsInputGradient">Whether any of the encoder is trained.</param>
    /// <returns>(L,H), the gradient of the states; null where it is not wanted.</returns>
    internal abstract Tensor? Backward(Saved saved, LayerPass pass, Tensor gradient, bool wantsInputGradient);

    public abstract void Dispose();

    /// <summary>What backward needs of one forward pass.</summary>
    /// <param name="States">(L,H), as the head read them.</param>
    /// <param name="Pooled">(R,H), what the last linear layer read.</param>
    internal abstract record Saved(Tensor States, Tensor Pooled) : IDisposable
    {
        public virtual void Dispose()
        {
            States.Dispose();
            Pooled.Dispose();
        }
    }
}
