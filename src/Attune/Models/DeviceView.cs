using static TorchSharp.torch;

namespace Attune.Models;

// Legend: R rows, N heads, S columns of the padded rows, Q of them that ask (S or 1), D size of a head.

/// <summary>What an attention on a device looks at beside queries, keys and values: as <see cref="Kernels.AttentionView"/> of the processor's. The default is BERT's: nothing.</summary>
internal readonly record struct DeviceView
{
    /// <summary>A token sees those that are at most so many columns away; null for its whole row.</summary>
    internal int? Window { get; init; }

    /// <summary>What relative positions add to the scores; null for nothing.</summary>
    internal DeviceRelative? Relative { get; init; }

    /// <summary>Terms of a score beside query times key: the scale is 1 / sqrt(D (1 + this)).</summary>
    internal int ExtraTerms { get; init; }

    /// <summary>Whether a token that the mask hides sees nothing.</summary>
    internal bool HiddenSeeNothing { get; init; }

    /// <summary>Whether it can be computed over packed rows: by distances within a row where no column is left out, and without scores of relative positions.</summary>
    internal bool TakesPacked(Kernels.Sequences rows) => Relative is null && ExtraTerms == 0 && (Window is null || !rows.HasHoles);
}

/// <summary>What relative positions add to the scores of a layer.</summary>
internal abstract class DeviceRelative
{
    /// <summary>Computes what is added to the scaled scores.</summary>
    /// <param name="query">(R,N,Q,D), the first columns.</param>
    /// <param name="key">(R,N,S,D).</param>
    /// <param name="sight">Who sees whom, of the queries.</param>
    /// <param name="pass">One way of a batch through the model.</param>
    /// <returns>(R,N,Q,S), minus infinity where nothing is seen.</returns>
    internal abstract Tensor Scores(Tensor query, Tensor key, DeviceSight sight, DevicePass pass);

    /// <summary>Lays what belongs to distances out by query and key.</summary>
    /// <param name="values">(...,2S-1), for the distances from -(S-1) to S-1.</param>
    /// <param name="columns">S.</param>
    /// <returns>(...,S,S): that of the query's column less the key's.</returns>
    private protected static Tensor ByDistance(Tensor values, long columns) => values.unfold(-1, columns, 1).flip(-1);
}
