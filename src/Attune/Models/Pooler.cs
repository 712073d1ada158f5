using Attune.Kernels;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: L lines, H hidden size.

/// <summary>f(x W' + bias), between the encoder and the classifier: as the pooler of BERT and under other names.</summary>
internal sealed unsafe class Pooler(WeightStore store, string name, int hidden, Activation activation) : IDisposable
{
    private readonly Linear dense = new(store, name, hidden, hidden);

    /// <param name="x">(L,H).</param>
    /// <param name="adapters">What the lines are.</param>
    /// <param name="sum">Receives (L,H), before f, as backward needs it.</param>
    /// <returns>(L,H).</returns>
    internal Tensor Forward(Tensor x, LoraLayer.Pass adapters, out Tensor sum)
    {
        sum = dense.Forward(x, adapters);
        var pooled = LibTorch.Empty(x.shape);
        activation.Forward(LibTorch.Floats(sum), dense.Bias, LibTorch.Floats(pooled), (int)x.shape[0], hidden);
        return pooled;
    }

    /// <param name="x">As in forward.</param>
    /// <param name="sum">From forward.</param>
    /// <param name="gradient">(L,H) of the output; overwritten.</param>
    /// <param name="adapters">As in forward.</param>
    /// <param name="wantsInputGradient">Whether anything below is trained.</param>
    /// <returns>(L,H), the gradient of x; null where it is not wanted.</returns>
    internal Tensor? Backward(Tensor x, Tensor sum, Tensor gradient, LoraLayer.Pass adapters, bool wantsInputGradient)
    {
        activation.Backward(LibTorch.Floats(gradient), LibTorch.Floats(sum), dense.BiasGradient(), (int)x.shape[0], hidden);
        dense.AddWeightGradient(gradient, x, adapters);
        return wantsInputGradient ? dense.InputGradient(gradient, adapters) : null;
    }

    public void Dispose() => dense.Dispose();
}
