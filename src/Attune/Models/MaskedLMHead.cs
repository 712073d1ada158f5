using Attune.Kernels;
using Attune.Native;
using Attune.Profiling;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: M masked tokens, H hidden size, E size of the table's rows, V tokens of the vocabulary.

/// <summary>What a head that finds hidden tokens is made of in a family.</summary>
/// <param name="Bias">Name of the bias of the logits.</param>
/// <param name="Dense">Name of the linear layer.</param>
/// <param name="LayerNorm">Name of the LayerNorm.</param>
/// <param name="Activation">Between them.</param>
internal sealed record MaskedLMHeadForm(string Bias, string Dense, string LayerNorm, string Activation)
{
    /// <summary>BERT's.</summary>
    internal static MaskedLMHeadForm Bert(PreTrainedConfig config) => new("cls.predictions.bias", "cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm", config.HiddenAct);

    /// <summary>That of ELECTRA's generator.</summary>
    internal static MaskedLMHeadForm Electra { get; } = new("generator_lm_head.bias", "generator_predictions.dense", "generator_predictions.LayerNorm", "gelu");
}

/// <summary>States to logits over the vocabulary: LayerNorm(act(dense)), then the table of the word embeddings and a bias.</summary>
/// <remarks>The table is the encoder's and not stored again; it gets the gradients of both of its uses.</remarks>
internal sealed unsafe class MaskedLMHead : IDisposable
{
    private readonly int size, vocabulary;
    private readonly double epsilon;
    private readonly Weight table, bias;
    private readonly Linear dense, decoder;
    private readonly LayerNorm layerNorm;
    private readonly Activation activation;

    /// <param name="store">Where its weights are declared.</param>
    /// <param name="form">Of the family.</param>
    /// <param name="table">The word embeddings, (V,E).</param>
    /// <param name="hidden">H.</param>
    /// <param name="epsilon">Of the LayerNorm.</param>
    internal MaskedLMHead(WeightStore store, MaskedLMHeadForm form, Weight table, int hidden, double epsilon)
    {
        ((vocabulary, size), this.table, this.epsilon, activation) = (((int)table.Shape[0], (int)table.Shape[1]), table, epsilon, Activation.Named(form.Activation));
        bias = store.Declare(form.Bias, decays: false, vocabulary);
        dense = new(store, form.Dense, hidden, size);
        layerNorm = new(store, form.LayerNorm, size);
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
        saved.Inner = dense.Forward(states, pass);                                                                     // (M,E)
        saved.Unit = LibTorch.Empty(lines.Count, size);
        activation.Forward(LibTorch.Floats(saved.Inner), dense.Bias, LibTorch.Floats(saved.Unit), lines.Count, size);
        (saved.Inverse, saved.Transformed) = (LibTorch.Empty(lines.Count), LibTorch.Empty(lines.Count, size));
        ResidualNorm.Forward(LibTorch.Floats(saved.Unit), null, null, layerNorm.Weight.Data, layerNorm.Shift, epsilon,
            LibTorch.Floats(saved.Transformed), LibTorch.Floats(saved.Inverse), lines, size, Dropout.None);
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
        using var inner = decoder.InputGradient(saved.Logits, pass);                                                   // (M,E)
        ResidualNorm.Backward(LibTorch.Floats(inner), LibTorch.Floats(saved.Unit), layerNorm.Weight.Data, LibTorch.Floats(saved.Inverse),
            LibTorch.Floats(inner), layerNorm.Weight.GradientToAddTo(), layerNorm.ShiftGradient(), null, saved.Lines, size, Dropout.None);
        activation.Backward(LibTorch.Floats(inner), LibTorch.Floats(saved.Inner), dense.BiasGradient(), saved.Lines.Count, size);
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

        internal Tensor Inner { get; set; } = null!;                                                                   // (M,E), with bias

        internal Tensor Unit { get; set; } = null!;                                                                    // (M,E), before weight and bias of the norm

        internal Tensor Inverse { get; set; } = null!;                                                                 // (M)

        internal Tensor Transformed { get; set; } = null!;                                                             // (M,E)

        internal Tensor Logits { get; set; } = null!;                                                                  // (M,V)

        internal Tensor LogSums { get; set; } = null!;                                                                 // (M)

        public void Dispose()
        {
            foreach (var tensor in (ReadOnlySpan<Tensor?>)[States, Inner, Unit, Inverse, Transformed, Logits, LogSums]) tensor?.Dispose();
        }
    }
}
