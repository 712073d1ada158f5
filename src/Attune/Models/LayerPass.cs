using Attune.Batching;
using Attune.Kernels;

namespace Attune.Models;

/// <summary>One way of a batch through one part of a model.</summary>
/// <param name="Batch">The rows.</param>
/// <param name="FirstTokensOnly">Whether the part's output has a line for each row's first token only, and not one for each token.</param>
/// <param name="DropoutKey">Key of the update's dropout; null where nothing is dropped.</param>
/// <param name="FirstPlace">Number of the part's first place where dropout stands.</param>
/// <param name="Repeat">How often the part has stood before on the way: where weights are shared, each time its adapters drop something else.</param>
internal readonly record struct LayerPass(Batch Batch, bool FirstTokensOnly, ulong? DropoutKey, int FirstPlace, int Repeat = 0)
{
    /// <summary>The tokens that the part's output has a line for, where they are neither all nor the first ones.</summary>
    internal ChosenTokens? Chosen { get; init; }

    internal Sequences Sequences => Batch.Sequences;

    /// <summary>Whether the output has a line for each token.</summary>
    internal bool WantsAllTokens => !FirstTokensOnly && Chosen is null;

    /// <summary>What the lines of the output stand for.</summary>
    internal Sequences.Lines Lines => Chosen?.Lines ?? (FirstTokensOnly ? Sequences.FirstTokens : Sequences.AllTokens);

    /// <summary>The tokens that the output has a line for, where these are not all.</summary>
    internal ReadOnlySpan<int> Tokens => Chosen is { } chosen ? chosen.Tokens : Sequences.Offsets.AsSpan(0, Sequences.Rows);

    /// <summary>What adapters need to know of the output's lines.</summary>
    internal LoraLayer.Pass Adapters => new(Lines, AdapterKey);

    /// <summary>The same of lines that are all tokens.</summary>
    internal LoraLayer.Pass AdaptersOfAll => new(Sequences.AllTokens, AdapterKey);

    private ulong? AdapterKey => DropoutKey is { } key && Repeat > 0 ? Dropout.Key(key, -Repeat) : DropoutKey;    // the passes of an update count up

    /// <summary>Dropout at one of the part's places.</summary>
    internal Dropout At(double probability, int place) => DropoutKey is { } key ? new Dropout(probability, key, FirstPlace + place) : Dropout.None;
}
