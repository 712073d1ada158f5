using Attune.Batching;

namespace Attune.Models;

/// <summary>Where the word embeddings of a batch are moved in its second pass: the first pass finds their gradient, of which the step is made.</summary>
internal abstract class EmbeddingStep : EmbeddingMove
{
    /// <summary>Whether the step is made; before, a pass has its embeddings where they are.</summary>
    internal bool IsMade { get; private set; }

    /// <summary>The step of a batch, where the model computes.</summary>
    internal static EmbeddingStep Of(SequenceClassificationModel model, Batch batch) =>
        model.OnDevice is null ? new HostEmbeddingStep(batch, (int)model.Encoder.WordEmbeddings.Shape[1]) : new DeviceEmbeddingStep(batch);

    /// <summary>Makes the step of the gradient that was found: of each row one of the length epsilon along it.</summary>
    internal void Make(double epsilon)
    {
        Turn(epsilon);
        IsMade = true;
    }

    /// <summary>Turns the gradient into the step.</summary>
    private protected abstract void Turn(double epsilon);
}
