namespace Attune.Models;

/// <summary>How the classifier of a family that computes as BERT's does is put together, and what its weights are called.</summary>
internal sealed record EncoderForm
{
    /// <summary>What the names of the encoder's weights begin with, with its dot.</summary>
    internal required string Prefix { get; init; }

    internal EmbeddingsForm Embeddings { get; init; } = EmbeddingsForm.Bert;

    internal BertLayerForm Layer { get; init; } = BertLayerForm.Bert;

    /// <summary>Name of the layer of a number, behind the prefix. Layers of the same name share their weights.</summary>
    internal Func<int, string> LayerName { get; init; } = layer => $"encoder.layer.{layer}";

    /// <summary>What is added to the scores of all layers by the distances of tokens; null for nothing.</summary>
    internal RelativeBiasForm? RelativeBias { get; init; }

    internal required DenseHeadForm Head { get; init; }
}

/// <summary>A table of a number for each bucket of distances (<see cref="RelativeBuckets.MPNet"/>) and each head.</summary>
/// <param name="Name">Of the table, behind the prefix.</param>
/// <param name="Buckets">Its lines.</param>
internal sealed record RelativeBiasForm(string Name, int Buckets);

/// <summary>A linear layer with an activation on each row's first token, and the linear layer whose outputs are the logits.</summary>
/// <param name="Dense">Name of the first layer.</param>
/// <param name="Activation">Of the first layer.</param>
/// <param name="Classifier">Name of the last layer.</param>
/// <param name="DropsFirst">Whether dropout stands before the first layer too, and not only before the last.</param>
/// <param name="FirstDropout">How much is dropped there; null for as much as before the last.</param>
internal sealed record DenseHeadForm(string Dense, string Activation, string Classifier, bool DropsFirst = false, double? FirstDropout = null);
