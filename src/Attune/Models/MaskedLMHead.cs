using Attune.Kernels;
using Attune.Native;
using Attune.Profiling;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: M masked tokens, H hidden size, V tokens of the vocabulary.

/// <summary>States to logits over the vocabulary: LayerNorm(act(dense)), then the table of the word embeddings and a bias.</summary>
/// <remarks>The table is the encoder's and not stored again; it gets the gradients of both of its uses.</remarks>
internal sealed unsafe class MaskedLMHead : IDisposable
{
    private readonly int hidden, vocabulary;
    private readonly double epsilon;
    private readonly Weight table, bias;
    private readonly Linear dense, decoder;
    private readonly LayerNorm layerNorm;
    private readonly Activation activation;

    /// <param name="store">Where its weights are declared.</param>
    /// <param name="name">Of the head in the file of weights: <c>cls.predictions</c>.</param>
    /// <param name="table">The word embeddings.</param>
    /// <param name="activation">Name of the activation function.</param>
    /// <param name="epsilon">Of the LayerNorm.</param>
    internal MaskedLMHead(WeightStore store, string name, Weight table, string activation, double epsilon)
    {
        ((vocabulary, hidden), this.table, this.epsilon, this.activation) = (((int)table.Shape[0], (int)table.Shape[1]), table, epsilon, Activation.Named(activation));
        bias = store.Declare(name + ".bias", decays: false, vocabulary);
        dense = new(store, name + ".transform.dense", hidden, hidden);
        layerNorm = new(store, name + ".transform.LayerNorm", hidden);
        decoder = Linear.Tied(store, table, bias);
    }

    /// <summary>The bias of each token's logit (V).</summary>
    internal Weight Bias => bias;

    /// <param name="states">(M,H); belongs to <paramref name="saved"/> from now on.</param>
    /// <param name="lines">What the lines are.</param>
    /// <param name="saved">What backward needs, the logits (M,V) among it.</param>
    internal void Forward(Tensor states, Sequences.Lines lines, out Saved saved)
    {
        using var time = Profiler.Measure("head");
        var pass = new LoraLayer.Pass(lines, DropoutKey: null);
        saved = new Saved { States = states, Lines = lines };
        saved.Inner = dense.Forward(states, pass);                                                                     // (M,H)
        saved.Unit = LibTorch.Empty(lines.Count, hidden);
        activation.Forward(LibTorch.Floats(saved.Inner), dense.Bias, LibTorch.Floats(saved.Unit), lines.Count, hidden);
        (saved.Inverse, saved.Transformed) = (LibTorch.Empty(lines.Count), LibTorch.Empty(lines.Count, hidden));
        ResidualNorm.Forward(LibTorch.Floats(saved.Unit), null, null, layerNorm.Weight.Data, layerNorm.Shift, epsilon,
            LibTorch.Floats(saved.Transformed), LibTorch.Floats(saved.Inverse), lines, hidden, Dropout.None);
        _ = table.Data;                                                                                                // brings all rows up to date
        saved.Logits = decoder.Forward(saved.Transformed, pass);                                                       // (M,V)
        saved.LogSums = LibTorch.Empty(lines.Count);
        SoftmaxLoss.LogSums(LibTorch.Floats(saved.Logits), bias.Data, LibTorch.Floats(saved.LogSums), lines.Count, vocabulary);
    }

    /// <summary>Adds the gradients of the head's weights and of the table.</summary>
    /// <param name="saved">From forward, its logits replaced by their gradient; disposed.</param>
    /// <returns>(M,H), the gradient of the states.</returns>
    internal Tensor Backward(Saved saved)
    {
        using var ownership = saved;
        using var time = Profiler.Measure("head");
        var pass = new LoraLayer.Pass(saved.Lines, DropoutKey: null);
        decoder.AddBiasGradient(saved.Logits);
        decoder.AddWeightGradient(saved.Logits, saved.Transformed, pass);
        using var inner = decoder.InputGradient(saved.Logits, pass);                                                   // (M,H)
        ResidualNorm.Backward(LibTorch.Floats(inner), LibTorch.Floats(saved.Unit), layerNorm.Weight.Data, LibTorch.Floats(saved.Inverse),
            LibTorch.Floats(inner), layerNorm.Weight.GradientToAddTo(), layerNorm.ShiftGradient(), null, saved.Lines, hidden, Dropout.None);
        activation.Backward(LibTorch.Floats(inner), LibTorch.Floats(saved.Inner), dense.BiasGradient(), saved.Lines.Count, hidden);
        dense.AddWeightGradient(inner, saved.States, pass);
        return dense.InputGradient(inner, pass);
    }

    public void Dispose()
    {
        dense.Dispose();
        decoder.Dispose();
    }

    /// <summary>One forward pass, as backward needs it.</summary>
    internal sealed class Saved : IDisposable
    {
        internal required Tensor States { get; init; }                                                                 // (M,H)

        internal required Sequences.Lines Lines { get; init; }

        internal Tensor Inner { get; set; } = null!;                                                                   // (M,H), with bias

        internal Tensor Unit { get; set; } = null!;                                                                    // (M,H), before weight and bias of the norm

        internal Tensor Inverse { get; set; } = null!;                                                                 // (M)

        internal Tensor Transformed { get; set; } = null!;                                                             // (M,H)

        internal Tensor Logits { get; set; } = null!;                                                                  // (M,V)

        internal Tensor LogSums { get; set; } = null!;                                                                 // (M)

        public void Dispose()
        {
            foreach (var tensor in (ReadOnlySpan<Tensor?>)[States, Inner, Unit, Inverse, Transformed, Logits, LogSums]) tensor?.Dispose();
        }
    }
}
