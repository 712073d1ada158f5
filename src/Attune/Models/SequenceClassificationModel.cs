using Attune.Batching;
using Attune.Native;
using Attune.Profiling;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: R rows, C classes.

/// <summary>An encoder with a head that classifies rows; <see cref="AutoModelForSequenceClassification"/> makes one of any family.</summary>
public abstract class SequenceClassificationModel : PreTrainedModel
{
    private protected SequenceClassificationModel(PreTrainedConfig config, LoraConfig? lora) : base(config, lora?.For(config).Checked())
    {
    }

    internal ClassificationHead Head { get; private set; } = null!;

    /// <summary>The same model on the device that computes; null where the processor does.</summary>
    internal DeviceClassifier? OnDevice { get => Weights.OnDevice is null ? null : field; private set; }

    internal override void ComputeOn(Device device)
    {
        Weights.MoveTo(device);
        OnDevice = NewOnDevice();
    }

    /// <summary>The same model on the device that the weights have been moved to. Families that compute as BERT does need say nothing.</summary>
    private protected virtual DeviceClassifier NewOnDevice()
    {
        var encoder = new DeviceEncoder(Weights, Config, Config.Form!, Config.EncoderPrefix, Encoder);
        return new(encoder, new DeviceDenseHead(encoder.Parts, Config, Config.Form!.Head));
    }

    /// <summary>
    /// Whether a training pass keeps only each layer's input, and backward computes the rest again: less memory for more time, with the same
    /// gradients to the bit. Default false.
    /// </summary>
    public bool GradientCheckpointing
    {
        get => Encoder.GradientCheckpointing;
        set => Encoder.GradientCheckpointing = value;
    }

    /// <summary>
    /// In training, uniform noise within this / sqrt(tokens of the row x hidden size) is added to each element of the word embeddings' output (Jain et al.:
    /// "NEFTune: Noisy Embeddings Improve Instruction Finetuning", 2023). Default 0: none.
    /// </summary>
    public double NeftuneNoiseAlpha
    {
        get => Encoder.NoiseAlpha;
        set => Encoder.NoiseAlpha = value;
    }

    /// <summary>
    /// The same model without adapter: what that adds is in the weights, W + scaling B A. The results are the same to rounding, and any program can
    /// load what <see cref="PreTrainedModel.SavePretrained"/> then writes. This model stays as it is, and both have memory of their own.
    /// </summary>
    /// <exception cref="InvalidOperationException">The model has no adapter.</exception>
    public SequenceClassificationModel MergeAndUnload()
    {
        if (Adapter is null) throw new InvalidOperationException("the model has no adapter to merge");
        var merged = AutoModelForSequenceClassification.Create(Config);
        (merged.LoadReport, merged.Precision, merged.Training, merged.DropoutKey) = (LoadReport, Precision, Training, DropoutKey);
        (merged.GradientCheckpointing, merged.NeftuneNoiseAlpha) = (GradientCheckpointing, NeftuneNoiseAlpha);
        foreach (var weight in merged.Weights.All) Weights[weight.Name].Span.CopyTo(weight.Span);
        Adapter.MergeInto(merged.Weights);
        return merged;
    }

    /// <summary>Computes logits and, where the batch has labels, the loss.</summary>
    /// <param name="batch">The rows.</param>
    /// <param name="loss">Which loss; null takes the plain one of the problem type.</param>
    /// <exception cref="AttuneException">A token or label is outside the model's range, or the loss has weights for another number of classes.</exception>
    public SequenceClassifierOutput Forward(Batch batch, LossOptions? loss = null) => Forward(batch, loss, default);

    /// <summary>The same for a pass that is not the plain one.</summary>
    internal SequenceClassifierOutput Forward(Batch batch, LossOptions? loss, PassOptions pass)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var output = Logits(batch, pass);
        if (batch.Labels is not { } labels) return output;
        try
        {
            output.Learn(labels, loss ?? LossOptions.Default);
            return output;
        }
        catch
        {
            output.Dispose();                                                              // a refused label must not keep all activations
            throw;
        }
    }

    /// <summary>Computes the logits of a pass, and no loss.</summary>
    internal SequenceClassifierOutput Logits(Batch batch, PassOptions pass)
    {
        LibTorch.Load();
        batch = Encoder.Prepared(batch);
        using var time = Profiler.Measure("forward");
        if (OnDevice is { } device && pass.IsPlain)
        {
            var onDevice = device.Forward(batch, Precision, pass.KeyOf(CurrentDropoutKey), pass.Move);
            return new(this, onDevice, Config.NumLabels, Training);
        }
        _ = Weights.UpToDateValues();                                                          // what only the processor can do it does with the device's weights
        var states = Encoder.Forward(batch, CurrentDropoutKey, pass, out var encoded);
        using var head = Profiler.Measure("head");
        using var products = Head.Forward(states, HeadPass(batch, encoded?.DropoutKey), out var read);                 // (R,C)
        var logits = LibTorch.Span(products).ToArray();
        if (encoded is null) read.Dispose();
        return new(this, logits, Config.NumLabels, encoded is null ? null : new Saved(encoded, read));
    }

    /// <summary>Runs all tokens through all layers, without dropout.</summary>
    /// <returns>The state after the embeddings and after each layer, a line for each token; and what the last linear layer reads, a line for each row.</returns>
    internal (List<Tensor> HiddenStates, Tensor Pooled) AllStates(Batch batch)
    {
        LibTorch.Load();
        batch = Encoder.Prepared(batch);
        if (OnDevice is { } device) return device.AllStates(batch, Precision);
        var states = Encoder.AllStates(batch);
        var last = Encoder.ReadsAllTokens ? states[^1].clone().DetachFromDisposeScope() : EncoderLayer.FirstTokens(states[^1], batch.Sequences);
        Head.Forward(last, HeadPass(batch, dropoutKey: null), out var read).Dispose();
        using (read) return (states, read.Pooled.alias().DetachFromDisposeScope());
    }

    /// <summary>What is learned from labels; where the configuration does not say it, the first labels decide for good, as in transformers.</summary>
    internal ProblemType ProblemOf(Labels labels)
    {
        var problem = Config.ProblemTypeFor(labels);
        if (Config.ProblemType is null) Config = Config with { ProblemType = problem };
        return problem;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        Head.Dispose();
        base.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Adds the gradients of all weights.</summary>
    /// <param name="saved">Of the forward pass; disposed.</param>
    /// <param name="logitsGradient">(R,C).</param>
    internal void Backward(Saved saved, float[] logitsGradient)
    {
        using var ownership = saved;
        using var time = Profiler.Measure("backward");
        var batch = saved.Encoded.Batch;
        using var gradient = LibTorch.Empty(batch.Rows, Config.NumLabels);
        logitsGradient.CopyTo(LibTorch.Span(gradient));
        var head = Profiler.Measure("head");
        var states = Head.Backward(saved.Read, HeadPass(batch, saved.Encoded.DropoutKey), gradient, saved.Encoded.IsReached);
        head.Dispose();
        if (states is not null) Encoder.Backward(saved.Encoded, states);
    }

    /// <summary>The same of a pass on the device.</summary>
    /// <param name="said">From it; disposed.</param>
    /// <param name="logitsGradient">(R,C).</param>
    internal void Backward(DeviceClassifier.Said said, float[] logitsGradient)
    {
        using (said)
        using (var host = tensor(logitsGradient, said.Logits.shape))
        using (var gradient = host.to(said.Logits.device))
        using (Profiler.Measure("backward"))
            OnDevice!.Backward(said, said.Logits, gradient);
    }

    /// <summary>Takes the parts whose weights were declared, adapters included, and gives these their places.</summary>
    private protected void Build(Encoder encoder, ClassificationHead head, bool isNewAdapter)
    {
        (Encoder, Head) = (encoder, head);
        if (Weights.Lora is not null) Adapter = new LoraAdapter(Weights, isNewAdapter);
        Weights.LayOut();
    }

    /// <summary>The same of a family that computes as BERT does.</summary>
    private protected void Build(EncoderForm form, bool isNewAdapter)
    {
        var encoder = Encoder.Of(Weights, Config, form, form.Prefix);
        Build(encoder, new DenseHead(Weights, Config, form.Head), isNewAdapter);
    }

    private LayerPass HeadPass(Batch batch, ulong? dropoutKey) => new(batch, !Encoder.ReadsAllTokens, dropoutKey, Encoder.DropoutPlaces);

    /// <summary>One forward pass, as backward needs it.</summary>
    internal sealed record Saved(Encoder.Saved Encoded, ClassificationHead.Saved Read) : IDisposable
    {
        public void Dispose()
        {
            Encoded.Dispose();
            Read.Dispose();
        }
    }
}
