namespace Attune.Training;

// What gradients become besides the optimizer's own arguments.
public sealed partial record TrainingArguments
{
    /// <summary>By what the learning rate is multiplied from each layer to the one below: the top layer, the pooler and the head have all of it, the embeddings least.</summary>
    /// <value>Above 0, at most 1. Default 1: one rate for all.</value>
    public double LayerLrDecay { get; init; } = 1;

    /// <summary>Learning rate of the head, the part that is not of the encoder, at its highest; it follows the schedule as the others do.</summary>
    /// <value>At least 0. Default null: <see cref="LearningRate"/>.</value>
    public double? HeadLearningRate { get; init; }

    /// <summary>Largest allowed element of a gradient; larger ones are cut to it, before the length is clipped by <see cref="MaxGradNorm"/>.</summary>
    /// <value>Above 0. Default null: not cut.</value>
    public double? ClipGradValue { get; init; }
}
