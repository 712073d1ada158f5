namespace Attune.Models;

/// <summary>How the embeddings of a family differ from BERT's.</summary>
internal sealed record EmbeddingsForm
{
    /// <summary>Size of the tables' rows; null where it is the hidden size. Where it is another, <see cref="Projection"/> brings it to that.</summary>
    internal int? Size { get; init; }

    /// <summary>Name of the linear layer from the tables' size to the hidden size; null for none.</summary>
    internal string? Projection { get; init; }

    /// <summary>Whether the linear layer stands before the LayerNorm, without a bias, and not behind the dropout.</summary>
    internal bool ProjectsFirst { get; init; }

    /// <summary>Name of the table of the words.</summary>
    internal string Words { get; init; } = "word_embeddings";

    /// <summary>Name of the LayerNorm.</summary>
    internal string Norm { get; init; } = "LayerNorm";

    /// <summary>Whether the LayerNorm has a bias.</summary>
    internal bool HasNormBias { get; init; } = true;

    /// <summary>Whether there are embeddings of positions.</summary>
    internal bool HasPositions { get; init; } = true;

    /// <summary>Whether the states of tokens that the mask hides are made zero.</summary>
    internal bool ClearsHidden { get; init; }

    /// <summary>Whether there are embeddings of segments. Without them segments are not looked at.</summary>
    internal bool HasTypes { get; init; } = true;

    /// <summary>
    /// Whether positions count on from the padding's id, by the ids that are not padding, and padding's own has no gradient; else a token's position is its
    /// column. That is decided by the ids and not by the mask.
    /// </summary>
    internal bool CountsFromPadding { get; init; }

    /// <summary>BERT's own.</summary>
    internal static EmbeddingsForm Bert { get; } = new();
}
