using Attune.Batching;
using Attune.Kernels;

namespace Attune.Models;

/// <summary>One way of a batch through one part of a model.</summary>
/// <param name="Batch">The rows.</param>
/// <param name="FirstTokensOnly">Whether the part's output has a line for each row's first token only, and not one for each token.</param>
/// <param name="DropoutKey">Key of the update's dropout; null where nothing is dropped.</param>
/// <param name="FirstPlace">Number of the part's first place where dropout stands.</param>
internal readonly record struct LayerPass(Batch Batch, bool FirstTokensOnly, ulong? DropoutKey, int FirstPlace)
{
    /// <summary>The tokens that the part's output has a line for, where they are neither all nor the first ones.</summary>
    internal ChosenTokens? Chosen { get; init; }

    internal Sequences Sequences => Batch.Sequences;

    /// <summary>Whether the output has a line for each token.</summary>
    internal bool WantsAllTokens => !FirstTokensOnly && Chosen is null;

    /// <summary>What the lines of the output stand for.</summary>
    internal Sequences.Lines Lines => Chosen?.Lines ?? (FirstTokensOnly ? Sequences.FirstTokens : Sequences.AllTokens);

    /// <summary>What adapters need to know of the output's lines.</summary>
    internal LoraLayer.Pass Adapters => new(Lines, DropoutKey);

    /// <summary>The same of lines that are all tokens.</summary>
    internal LoraLayer.Pass AdaptersOfAll => new(Sequences.AllTokens, DropoutKey);

    /// <summary>Dropout at one of the part's places.</summary>
    internal Dropout At(double probability, int place) => DropoutKey is { } key ? new Dropout(probability, key, FirstPlace + place) : Dropout.None;
}
