using Attune.Batching;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Attune.Models;

// Legend: T tokens.

/// <summary>What finds replaced tokens on a device: as <see cref="ReplacedTokenHead"/> behind its encoder on the processor.</summary>
/// <param name="encoder">On the device.</param>
/// <param name="head">Name of the head in the file of weights.</param>
/// <param name="activation">Name of its activation function.</param>
internal sealed class DeviceReplacedTokens(DeviceEncoder encoder, string head, string activation)
{
    private const string Labels = "labels";

    private readonly Func<Tensor, Tensor> activation = DeviceParts.Activation(activation);

    /// <summary>Computes the logits of all tokens, and the losses where there are labels.</summary>
    /// <param name="batch">The rows.</param>
    /// <param name="precision">Of the layers' products.</param>
    /// <param name="dropoutKey">Key of the pass's dropout; null in evaluation, where nothing is kept.</param>
    /// <param name="labels">T, as <see cref="ElectraForPreTraining.Forward"/> has them; null for none.</param>
    internal Said Forward(Batch batch, Precision precision, ulong? dropoutKey, int[]? labels)
    {
        using var learning = set_grad_enabled(dropoutKey is not null);
        using var scope = NewDisposeScope();
        var pass = encoder.Begin(batch, precision, dropoutKey, (Labels, labels ?? []));
        using var packed = pass.Batch;
        var transformed = activation(encoder.Parts.Linear(encoder.Forward(pass, wanted: null), pass, ScalarType.Float32, head + ".dense"));
        var logits = encoder.Parts.Linear(transformed, pass, ScalarType.Float32, head + ".dense_prediction").squeeze(1);                                                    // (T)
        Tensor? loss = null;
        if (labels is not null)
        {
            var wanted = pass.Batch[Labels];
            var counts = (wanted != MaskedTokens.Ignored).to(ScalarType.Float32);
            loss = F.binary_cross_entropy_with_logits(logits, wanted.to(ScalarType.Float32) * counts, counts, nn.Reduction.Sum);
        }
        return new Said(logits.DetachFromDisposeScope(), loss?.DetachFromDisposeScope(), pass.Segments?.Kept());
    }

    /// <summary>Adds the gradients of all weights that are trained.</summary>
    /// <param name="said">From forward, with labels.</param>
    /// <param name="scale">Factor of the sum of the losses.</param>
    internal void Backward(Said said, double scale)
    {
        using var gradient = full_like(said.Loss!, scale);
        encoder.Backward(said.Segments, (said.Loss!, gradient));
    }

    /// <summary>What is said of a batch, with the way back.</summary>
    /// <param name="Logits">T, float32.</param>
    /// <param name="Loss">The sum of the losses, one number; null where there are no labels.</param>
    /// <param name="Segments">Where the pass is cut between parts; null where it is whole.</param>
    internal sealed record Said(Tensor Logits, Tensor? Loss, DeviceSegments? Segments) : IDisposable
    {
        public void Dispose()
        {
            Logits.Dispose();
            Loss?.Dispose();
            Segments?.Dispose();
        }
    }
}
