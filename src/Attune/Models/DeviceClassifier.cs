using Attune.Batching;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: R rows, H hidden size, C classes.

/// <summary>A classifier of a family that computes as BERT does, on any device: what <see cref="Encoder"/> and <see cref="DenseHead"/> compute on the processor.</summary>
internal sealed class DeviceClassifier
{
    private readonly PreTrainedConfig config;
    private readonly EncoderForm form;
    private readonly DeviceEncoder encoder;
    private readonly Func<Tensor, Tensor> activation;

    /// <param name="store">With its buffers on the device.</param>
    /// <param name="config">Of the model.</param>
    /// <param name="form">Of its family.</param>
    /// <param name="encoder">That of the processor.</param>
    internal DeviceClassifier(WeightStore store, PreTrainedConfig config, EncoderForm form, Encoder encoder)
    {
        (this.config, this.form, this.encoder) = (config, form, new DeviceEncoder(store, config, form, form.Prefix, encoder));
        activation = DeviceParts.Activation(form.Head.Activation);
    }

    /// <summary>The logits of a batch.</summary>
    /// <param name="batch">The rows.</param>
    /// <param name="precision">Of the layers' products.</param>
    /// <param name="dropoutKey">Key of the pass's dropout; null in evaluation, where nothing is kept.</param>
    /// <param name="move">Of the word embeddings; null for none.</param>
    internal Said Forward(Batch batch, Precision precision, ulong? dropoutKey, EmbeddingMove? move = null)
    {
        using var learning = set_grad_enabled(dropoutKey is not null);
        using var scope = NewDisposeScope();
        var pass = encoder.Begin(batch, precision, dropoutKey) with { Move = move };
        var logits = Classify(encoder.Forward(pass, DeviceQueries.FirstTokens(pass.Batch)), pass, out _);
        return new Said(logits.DetachFromDisposeScope(), pass.Segments?.Kept());
    }

    /// <summary>Adds the gradients of all weights that are trained.</summary>
    /// <param name="said">From forward.</param>
    /// <param name="end">Its logits, or a loss of these.</param>
    /// <param name="gradient">Of that, on the device.</param>
    internal void Backward(Said said, Tensor end, Tensor gradient) => encoder.Backward(said.Segments, (end, gradient));

    /// <summary>As <see cref="SequenceClassificationModel.AllStates"/>.</summary>
    internal (List<Tensor> HiddenStates, Tensor Pooled) AllStates(Batch batch, Precision precision)
    {
        using var still = no_grad();
        using var scope = NewDisposeScope();
        var pass = encoder.Begin(batch, precision, dropoutKey: null);
        var states = encoder.AllStates(pass);
        _ = Classify(states[^1].index_select(0, pass.Batch.FirstTokens), pass, out var pooled);
        return (states.ConvertAll(ToHost), ToHost(pooled));

        static Tensor ToHost(Tensor state) => state.cpu().DetachFromDisposeScope();
    }

    /// <summary>(R,H) -> (R,C).</summary>
    private Tensor Classify(Tensor first, DevicePass pass, out Tensor pooled)
    {
        if (form.Head.DropsFirst) first = pass.Drop(first, config.DropoutBeforeClassifier);
        pooled = pass.Drop(activation(encoder.Parts.Linear(first, pass, ScalarType.Float32, form.Head.Dense)), config.DropoutBeforeClassifier);
        return encoder.Parts.Linear(pooled, pass, ScalarType.Float32, form.Head.Classifier);
    }

    /// <summary>What is said of a batch, with the way back.</summary>
    /// <param name="Logits">(R,C), float32.</param>
    /// <param name="Segments">What backward computes again; null where all is kept.</param>
    internal sealed record Said(Tensor Logits, DeviceSegments? Segments) : IDisposable
    {
        public void Dispose()
        {
            Logits.Dispose();
            Segments?.Dispose();
        }
    }
}
