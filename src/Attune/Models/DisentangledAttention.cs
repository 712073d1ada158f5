using Attune.Kernels;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: P relative positions that a batch meets, H hidden size.

/// <summary>
/// What relative positions add to a layer's attention in DeBERTa-v2 and v3 (He et al., 2021): the score of a query with the position that the key has as
/// seen from it, and of a key with the position of the query. The projections of positions are the layer's own, or ones of their own.
/// </summary>
internal sealed unsafe class DisentangledAttention : RelativeAttention
{
    private readonly DebertaV2Config config;
    private readonly DebertaV2Positions positions;
    private readonly Linear? pos_key_proj, pos_query_proj;                 // null where the score has no such term

    internal DisentangledAttention(WeightStore store, string name, DebertaV2Config config, DebertaV2Positions positions, Linear query, Linear key)
    {
        (this.config, this.positions) = (config, positions);
        if (!config.RelativeAttention) return;
        if (config.HasKeysOfPositions) pos_key_proj = config.ShareAttKey ? key : Own("pos_key_proj");
        if (config.HasQueriesOfPositions) pos_query_proj = config.ShareAttKey ? query : Own("pos_query_proj");

        Linear Own(string part) => new(store, $"{name}.attention.self.{part}", config.HiddenSize, config.HiddenSize, mayRound: true);
    }

    internal override int DropoutPlaces => 1;

    private bool IsRelative => pos_key_proj is not null || pos_query_proj is not null;

    internal override RelativeAttention.Pass Forward(LayerPass pass)
    {
        var view = new AttentionView { ExtraTerms = config.ExtraTerms, HiddenSeeNothing = true };
        if (!IsRelative) return new Pass(null, null, null) { View = view };
        var (lines, bucketOf) = positions.Read(pass.Sequences);
        ResidualNorm.Drop(LibTorch.Floats(lines.Values), lines.Numbers, config.HiddenSize, DropoutOf(pass));
        Tensor? keys = Project(pos_key_proj, lines, pass), queries = Project(pos_query_proj, lines, pass);
        var scores = new RelativeScores(bucketOf, lines.Numbers.Count) { Keys = Pass.At(keys), Queries = Pass.At(queries) };
        return new Pass(lines, keys, queries) { View = view with { Relative = scores } };
    }

    internal override void Backward(RelativeAttention.Pass saved, LayerPass pass)
    {
        var own = (Pass)saved;
        if (own.Lines is null) return;
        var adapters = Adapters(own.Lines, pass);
        using var gradient = LibTorch.Empty(own.Lines.Values.shape);
        LibTorch.Span(gradient).Clear();
        foreach (var (projection, projected) in (ReadOnlySpan<(Linear?, Tensor?)>)[(pos_key_proj, own.KeysGradient), (pos_query_proj, own.QueriesGradient)])
        {
            if (projection is null || projected is null) continue;
            projection.AddBiasGradient(projected);
            projection.AddWeightGradient(projected, own.Lines.Values, adapters);
            if (positions.AreTrained) projection.AddInputGradient(projected, gradient, adapters);
        }
        if (!positions.AreTrained) return;
        ResidualNorm.Drop(LibTorch.Floats(gradient), own.Lines.Numbers, config.HiddenSize, DropoutOf(pass));
        positions.AddGradient(own.Lines, gradient);
    }

    public override void Dispose()
    {
        if (config.ShareAttKey) return;                                    // the layer's
        pos_key_proj?.Dispose();
        pos_query_proj?.Dispose();
    }

    private static LoraLayer.Pass Adapters(DebertaV2Positions.Lines lines, LayerPass pass) => new(lines.Numbers, pass.DropoutKey);

    private Dropout DropoutOf(LayerPass pass) => pass.At(config.HiddenDropoutProb, 0);

    /// <summary>(P,H), with the bias.</summary>
    private Tensor? Project(Linear? projection, DebertaV2Positions.Lines lines, LayerPass pass)
    {
        if (projection is null) return null;
        var projected = projection.Forward(lines.Values, Adapters(lines, pass));
        EmbeddingSum.AddToLines(LibTorch.Floats(projected), lines.Numbers.Count, config.HiddenSize, projection.Bias);
        return projected;
    }

    /// <summary>Positions and their projections, and in backward the gradients of these.</summary>
    private new sealed class Pass(DebertaV2Positions.Lines? lines, Tensor? keys, Tensor? queries) : RelativeAttention.Pass
    {
        internal DebertaV2Positions.Lines? Lines => lines;

        internal Tensor? KeysGradient { get; private set; }                                                            // (P,H)

        internal Tensor? QueriesGradient { get; private set; }                                                         // (P,H)

        internal override RelativeScores.Gradients Gradients()
        {
            KeysGradient ??= keys is null ? null : LibTorch.Empty(keys.shape);
            QueriesGradient ??= queries is null ? null : LibTorch.Empty(queries.shape);
            return new(At(KeysGradient), At(QueriesGradient), Table: null);
        }

        internal static PackedAttention.Matrix? At(Tensor? matrix) => matrix is null ? null : new PackedAttention.Matrix(LibTorch.Floats(matrix), (int)matrix.shape[1]);

        public override void Dispose()
        {
            lines?.Dispose();
            foreach (var tensor in (ReadOnlySpan<Tensor?>)[keys, queries, KeysGradient, QueriesGradient]) tensor?.Dispose();
        }
    }
}
