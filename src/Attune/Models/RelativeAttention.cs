using Attune.Kernels;

namespace Attune.Models;

/// <summary>What a layer's attention looks at beside the layer's own tokens. It keeps nothing of a pass itself.</summary>
internal abstract class RelativeAttention : IDisposable
{
    /// <summary>Number of places where dropout stands.</summary>
    internal virtual int DropoutPlaces => 0;

    /// <summary>Computes what the scores of a batch need.</summary>
    /// <param name="pass">Its first place is the first of <see cref="DropoutPlaces"/>.</param>
    internal abstract Pass Forward(LayerPass pass);

    /// <summary>Adds the gradients of the weights that are trained.</summary>
    /// <param name="saved">From <see cref="Forward"/>, whose gradients the attention has filled.</param>
    /// <param name="pass">As in <see cref="Forward"/>.</param>
    internal abstract void Backward(Pass saved, LayerPass pass);

    public abstract void Dispose();

    /// <summary>What it made of one batch.</summary>
    internal abstract class Pass : IDisposable
    {
        /// <summary>For the attention.</summary>
        internal required AttentionView View { get; init; }

        /// <summary>Where the attention puts its gradients.</summary>
        internal abstract RelativeScores.Gradients Gradients();

        public abstract void Dispose();
    }
}
