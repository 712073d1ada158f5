using Attune.Batching;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: R rows, C classes.

/// <summary>A classifier on any device: what <see cref="Encoder"/> and <see cref="ClassificationHead"/> compute on the processor.</summary>
/// <param name="encoder">Embeddings and layers.</param>
/// <param name="head">Of the same weights.</param>
internal sealed class DeviceClassifier(DeviceEncoder encoder, DeviceHead head)
{
    /// <summary>The logits of a batch.</summary>
    /// <param name="batch">The rows.</param>
    /// <param name="precision">Of the layers' products.</param>
    /// <param name="dropoutKey">Key of the pass's dropout; null in evaluation, where nothing is kept.</param>
    /// <param name="move">Of the word embeddings; null for none.</param>
    internal Said Forward(Batch batch, Precision precision, ulong? dropoutKey, EmbeddingMove? move = null)
    {
        using var learning = set_grad_enabled(dropoutKey is not null);
        using var scope = NewDisposeScope();
        var pass = encoder.Begin(batch, precision, dropoutKey, head.Numbers(batch)) with { Move = move };
        using var rows = pass.Batch;
        var logits = head.Logits(encoder.Forward(pass, head.ReadsAllTokens ? null : DeviceQueries.FirstTokens(pass.Batch)), pass, out _);
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
        var pass = encoder.Begin(batch, precision, dropoutKey: null, head.Numbers(batch));
        using var rows = pass.Batch;
        var states = encoder.AllStates(pass);
        _ = head.Logits(head.ReadsAllTokens ? states[^1] : states[^1].index_select(0, pass.Batch.FirstTokens), pass, out var pooled);
        return (states.ConvertAll(ToHost), ToHost(pooled));

        static Tensor ToHost(Tensor state) => state.cpu().DetachFromDisposeScope();
    }

    /// <summary>What is said of a batch, with the way back.</summary>
    /// <param name="Logits">(R,C), float32.</param>
    /// <param name="Segments">Where the pass is cut between parts; null where it is whole.</param>
    internal sealed record Said(Tensor Logits, DeviceSegments? Segments) : IDisposable
    {
        public void Dispose()
        {
            Logits.Dispose();
            Segments?.Dispose();
        }
    }
}
