using Attune.Kernels;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: L lines of the encoder's output (R, or T where their mean is taken), R rows, H hidden size, C classes.

/// <summary>The encoder's last LayerNorm, the first token or the mean of all, a dense layer with an activation and a LayerNorm, dropout and the classifier.</summary>
internal sealed unsafe class ModernBertHead : ClassificationHead
{
    private readonly ModernBertConfig config;
    private readonly LayerNorm final_norm, norm;
    private readonly Linear dense, classifier;
    private readonly Activation activation;

    internal ModernBertHead(WeightStore store, ModernBertConfig config, LayerNorm finalNorm)
    {
        (this.config, final_norm) = (config, finalNorm);
        dense = new(store, "head.dense", config.HiddenSize, config.HiddenSize, hasBias: config.ClassifierBias);
        norm = new(store, "head.norm", config.HiddenSize, config.NormBias);
        classifier = new(store, config.ClassifierName, config.HiddenSize, config.NumLabels);
        activation = Activation.Named(config.ClassifierActivation);
    }

    internal override Tensor Forward(Tensor states, LayerPass pass, out ClassificationHead.Saved saved)
    {
        var (hidden, rows) = (config.HiddenSize, pass.Sequences.Rows);
        var (inverse, normed) = Norm(final_norm, states, pass.Lines);
        var read = normed;
        if (!pass.FirstTokensOnly)
        {
            read = LibTorch.Empty(rows, hidden);
            using (normed) RowMeans.Forward(LibTorch.Floats(normed), pass.Sequences, hidden, LibTorch.Floats(read));
        }
        var sum = dense.Forward(read, OfRows(pass));                                                                   // (R,H)
        var unit = LibTorch.Empty(rows, hidden);
        activation.Forward(LibTorch.Floats(sum), dense.Bias, LibTorch.Floats(unit), rows, hidden);
        var (headInverse, pooled) = Norm(norm, unit, pass.Sequences.FirstTokens);
        ResidualNorm.Drop(LibTorch.Floats(pooled), pass.Sequences.FirstTokens, hidden, DropoutOf(pass));
        saved = new Saved(states, pooled, inverse, read, sum, unit, headInverse);
        var logits = classifier.Forward(pooled, OfRows(pass));                                                         // (R,C)
        EmbeddingSum.AddToLines(LibTorch.Floats(logits), rows, config.NumLabels, classifier.Bias);
        return logits;
    }

    internal override Tensor? Backward(ClassificationHead.Saved kept, LayerPass pass, Tensor gradient, bool wantsInputGradient)
    {
        var (saved, hidden, rows) = ((Saved)kept, config.HiddenSize, pass.Sequences.Rows);
        classifier.AddBiasGradient(gradient);
        classifier.AddWeightGradient(gradient, saved.Pooled, OfRows(pass));
        using var pooled = classifier.InputGradient(gradient, OfRows(pass));
        ResidualNorm.Drop(LibTorch.Floats(pooled), pass.Sequences.FirstTokens, hidden, DropoutOf(pass));
        NormGradient(norm, saved.Unit, saved.HeadInverse, pooled, pass.Sequences.FirstTokens);
        activation.Backward(LibTorch.Floats(pooled), LibTorch.Floats(saved.Sum), dense.BiasGradient(), rows, hidden);
        dense.AddWeightGradient(pooled, saved.Read, OfRows(pass));
        if (!wantsInputGradient) return null;
        var read = dense.InputGradient(pooled, OfRows(pass));
        if (!pass.FirstTokensOnly)
        {
            var ofRows = read;
            read = LibTorch.Empty(pass.Sequences.Tokens, hidden);
            using (ofRows) RowMeans.Backward(LibTorch.Floats(ofRows), pass.Sequences, hidden, LibTorch.Floats(read));
        }
        NormGradient(final_norm, saved.States, saved.Inverse, read, pass.Lines);
        return read;
    }

    public override void Dispose()
    {
        dense.Dispose();
        classifier.Dispose();
    }

    private static LoraLayer.Pass OfRows(LayerPass pass) => new(pass.Sequences.FirstTokens, pass.DropoutKey);

    private Dropout DropoutOf(LayerPass pass) => pass.At(config.DropoutBeforeClassifier, 0);

    /// <summary>Normalises in place, and gives the inverse deviations and the output.</summary>
    private (Tensor Inverse, Tensor Output) Norm(LayerNorm by, Tensor x, Sequences.Lines lines)
    {
        var (inverse, output) = (LibTorch.Empty(x.shape[0]), LibTorch.Empty(x.shape));
        ResidualNorm.Forward(LibTorch.Floats(x), null, null, by.Weight.Data, by.Shift, config.LayerNormEps,
            LibTorch.Floats(output), LibTorch.Floats(inverse), lines, config.HiddenSize, Dropout.None);
        return (inverse, output);
    }

    private void NormGradient(LayerNorm by, Tensor unit, Tensor inverse, Tensor gradient, Sequences.Lines lines) =>
        ResidualNorm.Backward(LibTorch.Floats(gradient), LibTorch.Floats(unit), by.Weight.Data, LibTorch.Floats(inverse), LibTorch.Floats(gradient),
            by.Weight.GradientToAddTo(), by.ShiftGradient(), null, lines, config.HiddenSize, Dropout.None);

    /// <summary>And the last norm's inverse deviations (L); what the dense layer read, its sums and the head's normalised values, (R,H); and the inverse deviations of these.</summary>
    private new sealed record Saved(Tensor States, Tensor Pooled, Tensor Inverse, Tensor Read, Tensor Sum, Tensor Unit, Tensor HeadInverse) : ClassificationHead.Saved(States, Pooled)
    {
        public override void Dispose()
        {
            base.Dispose();
            foreach (var tensor in (ReadOnlySpan<Tensor>)[Inverse, Read, Sum, Unit, HeadInverse]) tensor.Dispose();
        }
    }
}
