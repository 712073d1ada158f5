using Attune.Kernels;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: R rows, H hidden size, C classes.

/// <summary>A linear layer with an activation on each row's first token, dropout, and the linear layer whose outputs are the logits.</summary>
internal sealed unsafe class DenseHead : ClassificationHead
{
    private readonly PreTrainedConfig config;
    private readonly Pooler pooler;
    private readonly Linear classifier;
    private readonly DenseHeadForm form;

    /// <param name="store">Where the weights are declared.</param>
    /// <param name="config">Of the model.</param>
    /// <param name="form">Of its family.</param>
    internal DenseHead(WeightStore store, PreTrainedConfig config, DenseHeadForm form)
    {
        (this.config, this.form) = (config, form);
        pooler = new(store, form.Dense, config.HiddenSize, Activation.Named(form.Activation));
        classifier = new(store, form.Classifier, config.HiddenSize, config.NumLabels);
    }

    internal override Tensor Forward(Tensor states, LayerPass pass, out ClassificationHead.Saved saved)
    {
        var hidden = config.HiddenSize;
        if (form.DropsFirst) ResidualNorm.Drop(LibTorch.Floats(states), pass.Lines, hidden, FirstDropout(pass));
        var pooled = pooler.Forward(states, pass.Adapters, out var sum);                                               // (R,H)
        ResidualNorm.Drop(LibTorch.Floats(pooled), pass.Lines, hidden, LastDropout(pass));
        saved = new Saved(states, pooled, sum);
        var logits = classifier.Forward(pooled, pass.Adapters);                                                        // (R,C)
        EmbeddingSum.AddToLines(LibTorch.Floats(logits), pass.Lines.Count, config.NumLabels, classifier.Bias);
        return logits;
    }

    internal override Tensor? Backward(ClassificationHead.Saved saved, LayerPass pass, Tensor gradient, bool wantsInputGradient)
    {
        classifier.AddBiasGradient(gradient);
        classifier.AddWeightGradient(gradient, saved.Pooled, pass.Adapters);
        using var pooled = classifier.InputGradient(gradient, pass.Adapters);
        ResidualNorm.Drop(LibTorch.Floats(pooled), pass.Lines, config.HiddenSize, LastDropout(pass));
        var states = pooler.Backward(saved.States, ((Saved)saved).Sum, pooled, pass.Adapters, wantsInputGradient);
        if (states is not null && form.DropsFirst) ResidualNorm.Drop(LibTorch.Floats(states), pass.Lines, config.HiddenSize, FirstDropout(pass));
        return states;
    }

    public override void Dispose()
    {
        pooler.Dispose();
        classifier.Dispose();
    }

    private Dropout FirstDropout(LayerPass pass) => pass.At(form.FirstDropout ?? config.DropoutBeforeClassifier, 0);

    private Dropout LastDropout(LayerPass pass) => pass.At(config.DropoutBeforeClassifier, form.DropsFirst ? 1 : 0);

    /// <summary>And (R,H) before the activation.</summary>
    private new sealed record Saved(Tensor States, Tensor Pooled, Tensor Sum) : ClassificationHead.Saved(States, Pooled)
    {
        public override void Dispose()
        {
            base.Dispose();
            Sum.Dispose();
        }
    }
}
