using Attune.Kernels;
using static TorchSharp.torch;

namespace Attune.Models;

/// <summary>How one forward pass over a batch differs from the plain one.</summary>
internal readonly record struct PassOptions
{
    /// <summary>Which pass over these rows in the update it is: each has its own dropout and noise. Default 0.</summary>
    internal int Number { get; init; }

    /// <summary>Key of the pass's dropout and noise, of that of the update; null for none.</summary>
    internal ulong? KeyOf(ulong? update) => update is { } key && Number > 0 ? Dropout.Key(key, Number) : update;

    /// <summary>From <see cref="Encoder.FrozenOutput"/>, in place of running the frozen parts; belongs to the model from now on. Null runs them.</summary>
    internal Tensor? Frozen { get; init; }

    /// <summary>Where the word embeddings are moved, or what learns that from this pass; stays the caller's. Null for nothing.</summary>
    internal EmbeddingMove? Move { get; init; }

    /// <summary>The tokens whose states are wanted of the last layer, of an encoder whose head reads all; null for all. Layers of BERT's form only.</summary>
    internal ChosenTokens? Chosen { get; init; }

    /// <summary>Whether backward is to come down to the word embeddings whatever is trained, without dropout: for <see cref="IntegratedGradients"/>.</summary>
    internal bool IsExplained { get; init; }

    /// <summary>Whether it is one that every device can make: from the embeddings to the logits.</summary>
    internal bool IsPlain => Frozen is null && Move is null or DeviceEmbeddingStep && Chosen is null && !IsExplained;
}
