using Attune.Kernels;
using Attune.Native;
using Attune.Profiling;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: T tokens, L lines of the output (T, or of the tokens that are wanted), H hidden size, I intermediate size, N heads.

/// <summary>
/// A layer of ModernBERT: attention with rotary positions, over the whole row or a window, and a gated feed-forward. Each has its LayerNorm at its beginning,
/// but the first layer's attention, before which the embeddings' stands.
/// </summary>
internal sealed unsafe class ModernBertLayer : EncoderLayer
{
    private readonly ModernBertConfig config;
    private readonly RotaryEmbedding rotary;
    private readonly AttentionView view;
    private readonly LayerNorm? attn_norm;
    private readonly LayerNorm mlp_norm;
    private readonly Linear wqkv, attn_wo, wi, mlp_wo;
    private readonly Activation activation;

    /// <param name="store">Where the weights are declared.</param>
    /// <param name="name">Of the layer in the file of weights.</param>
    /// <param name="config">Of the model.</param>
    /// <param name="number">Of the layer, from 0 on.</param>
    /// <param name="rotary">The positions of its kind.</param>
    internal ModernBertLayer(WeightStore store, string name, ModernBertConfig config, int number, RotaryEmbedding rotary)
    {
        (this.config, this.rotary) = (config, rotary);
        int hidden = config.HiddenSize, inner = config.IntermediateSize;
        view = new() { Window = config.WindowOf(number) };
        if (number > 0) attn_norm = new(store, name + ".attn_norm", hidden, config.NormBias);
        wqkv = new(store, name + ".attn.Wqkv", hidden, 3L * hidden, mayRound: true, config.AttentionBias);
        attn_wo = new(store, name + ".attn.Wo", hidden, hidden, mayRound: true, config.AttentionBias);
        mlp_norm = new(store, name + ".mlp_norm", hidden, config.NormBias);
        wi = new(store, name + ".mlp.Wi", hidden, 2L * inner, mayRound: true, config.MlpBias);
        mlp_wo = new(store, name + ".mlp.Wo", inner, hidden, mayRound: true, config.MlpBias);
        activation = Activation.Named(config.HiddenAct);
    }

    internal override Tensor Forward(Tensor hidden, LayerPass pass, out EncoderLayer.Saved kept)
    {
        using var part = Profiler.Measure("attention");
        var saved = new Saved { Hidden = hidden };
        kept = saved;
        var (sequences, at) = (pass.Sequences, pass.Lines);
        int size = config.HiddenSize, inner = config.IntermediateSize, lines = at.Count;
        if (attn_norm is not null) saved.Attention = Norm(attn_norm, hidden, sequences.AllTokens);
        saved.Projections = wqkv.Forward(saved.Attention?.Output ?? hidden, pass.AdaptersOfAll);                       // (T,3H)
        if (wqkv.HasBias) EmbeddingSum.AddToLines(LibTorch.Floats(saved.Projections), sequences.Tokens, 3 * size, wqkv.Bias);
        rotary.Turn(new(LibTorch.Floats(saved.Projections), 3 * size), 2 * config.NumAttentionHeads, sequences.Columns);
        if (!pass.WantsAllTokens) saved.Query = Lines(saved.Projections, pass.Tokens, config.HiddenSize);                                // (L,H)

        (saved.LogSums, saved.Context) = (LibTorch.Empty(lines, config.NumAttentionHeads), LibTorch.Empty(lines, size));
        Attention(pass).Forward(Inputs(saved), LibTorch.Floats(saved.Context), LibTorch.Floats(saved.LogSums));
        using var attended = attn_wo.Forward(saved.Context, pass.Adapters);                                            // (L,H)
        using (var some = pass.WantsAllTokens ? null : Wanted(hidden, pass))
            ResidualNorm.Add(LibTorch.Floats(attended), attn_wo.Bias, LibTorch.Floats(some ?? hidden), at, size, AttentionDropout(pass));

        part.Next("feed-forward");
        saved.FeedForward = Norm(mlp_norm, attended, at);
        saved.Inner = wi.Forward(saved.FeedForward.Output, pass.Adapters);                                             // (L,2I)
        saved.Activated = LibTorch.Empty(lines, inner);
        activation.ForwardGated(LibTorch.Floats(saved.Inner), wi.Bias, LibTorch.Floats(saved.Activated), lines, inner);
        ResidualNorm.Drop(LibTorch.Floats(saved.Activated), at, inner, FeedForwardDropout(pass));
        var result = mlp_wo.Forward(saved.Activated, pass.Adapters);                                                   // (L,H)
        ResidualNorm.Add(LibTorch.Floats(result), mlp_wo.Bias, LibTorch.Floats(attended), at, size, Dropout.None);
        return result;
    }

    internal override Tensor Backward(EncoderLayer.Saved kept, LayerPass pass, Tensor gradient, bool wantsInputGradient)
    {
        using var part = Profiler.Measure("feed-forward");
        var saved = (Saved)kept;
        var (sequences, at, adapters) = (pass.Sequences, pass.Lines, pass.Adapters);
        int size = config.HiddenSize, inner = config.IntermediateSize, lines = at.Count;
        mlp_wo.AddBiasGradient(gradient);
        mlp_wo.AddWeightGradient(gradient, saved.Activated, adapters);
        using (var activated = mlp_wo.InputGradient(gradient, adapters))                                               // (L,I)
        using (var wide = LibTorch.Empty(lines, 2L * inner))
        {
            ResidualNorm.Drop(LibTorch.Floats(activated), at, inner, FeedForwardDropout(pass));
            activation.BackwardGated(LibTorch.Floats(activated), LibTorch.Floats(saved.Inner), LibTorch.Floats(wide), lines, inner);
            wi.AddBiasGradient(wide);
            wi.AddWeightGradient(wide, saved.FeedForward.Output, adapters);
            using var normed = wi.InputGradient(wide, adapters);
            AddNormGradient(mlp_norm, saved.FeedForward, normed, at, gradient);
        }

        part.Next("attention");
        using var dropped = AttentionDropout(pass) is { IsActive: true } dropout ? Dropped(gradient, at, dropout) : null;
        attn_wo.AddBiasGradient(dropped ?? gradient);
        attn_wo.AddWeightGradient(dropped ?? gradient, saved.Context, adapters);
        using var context = attn_wo.InputGradient(dropped ?? gradient, adapters);
        using var projections = AttentionBackward(saved, pass, context);
        wqkv.AddBiasGradient(projections);
        wqkv.AddWeightGradient(projections, saved.Attention?.Output ?? saved.Hidden, pass.AdaptersOfAll);
        if (!wantsInputGradient && attn_norm is null) return gradient;
        var input = wqkv.InputGradient(projections, pass.AdaptersOfAll);                                               // (T,H)
        if (attn_norm is not null) NormGradient(attn_norm, saved.Attention!, input, sequences.AllTokens);
        if (pass.WantsAllTokens) _ = input.add_(gradient);
        else AddToWanted(gradient, pass, input);
        gradient.Dispose();
        return input;
    }

    public override void Dispose()
    {
        foreach (var linear in (ReadOnlySpan<Linear>)[wqkv, attn_wo, wi, mlp_wo]) linear.Dispose();
    }

    /// <returns>(T,3H), the gradient of the projections.</returns>
    private Tensor AttentionBackward(Saved saved, LayerPass pass, Tensor context)
    {
        var (size, sequences) = (config.HiddenSize, pass.Sequences);
        var projections = LibTorch.Empty(sequences.Tokens, 3L * size);
        var data = LibTorch.Floats(projections);
        PackedAttention.Matrix query = new(data, 3 * size), key = new(data + size, 3 * size), value = new(data + 2 * size, 3 * size);
        if (!pass.WantsAllTokens)
        {
            using var asked = LibTorch.Empty(pass.Lines.Count, size);
            Attention(pass).Backward(Inputs(saved), LibTorch.Floats(saved.LogSums), LibTorch.Floats(context), new(LibTorch.Floats(asked), size), key, value);
            for (var token = 0; token < sequences.Tokens; token++) new Span<float>(query.At(token, 0), size).Clear();
            var tokens = pass.Tokens;
            for (var i = 0; i < tokens.Length; i++) new Span<float>(LibTorch.Floats(asked) + (long)i * size, size).CopyTo(new Span<float>(query.At(tokens[i], 0), size));
        }
        else Attention(pass).Backward(Inputs(saved), LibTorch.Floats(saved.LogSums), LibTorch.Floats(context), query, key, value);
        rotary.TurnBack(query, 2 * config.NumAttentionHeads, sequences.Columns);
        return projections;
    }

    private Normed Norm(LayerNorm norm, Tensor x, Sequences.Lines lines)
    {
        var unit = LibTorch.Empty(x.shape);
        _ = unit.copy_(x);
        var normed = new Normed(unit, LibTorch.Empty(x.shape[0]), LibTorch.Empty(x.shape));
        ResidualNorm.Forward(LibTorch.Floats(unit), null, null, norm.Weight.Data, norm.Shift, config.LayerNormEps,
            LibTorch.Floats(normed.Output), LibTorch.Floats(normed.Inverse), lines, config.HiddenSize, Dropout.None);
        return normed;
    }

    /// <summary>Turns the gradient of a norm's output into that of its input, in place.</summary>
    private void NormGradient(LayerNorm norm, Normed saved, Tensor gradient, Sequences.Lines lines) =>
        ResidualNorm.Backward(LibTorch.Floats(gradient), LibTorch.Floats(saved.Unit), norm.Weight.Data, LibTorch.Floats(saved.Inverse), LibTorch.Floats(gradient),
            norm.Weight.GradientToAddTo(), norm.ShiftGradient(), null, lines, config.HiddenSize, Dropout.None);

    /// <summary>The same, added to the gradient that goes past the norm.</summary>
    private void AddNormGradient(LayerNorm norm, Normed saved, Tensor gradient, Sequences.Lines lines, Tensor past)
    {
        NormGradient(norm, saved, gradient, lines);
        _ = past.add_(gradient);
    }

    private Tensor Dropped(Tensor x, Sequences.Lines lines, Dropout dropout)
    {
        var dropped = LibTorch.Empty(x.shape);
        ResidualNorm.Drop(LibTorch.Floats(x), LibTorch.Floats(dropped), lines, config.HiddenSize, dropout);
        return dropped;
    }

    private Dropout AttentionDropout(LayerPass pass) => pass.At(config.AttentionProbsDropoutProb, 1);

    private Dropout FeedForwardDropout(LayerPass pass) => pass.At(config.HiddenDropoutProb, 2);

    private PackedAttention Attention(LayerPass pass) => new(
        pass.Sequences, config.NumAttentionHeads, config.HiddenSize / config.NumAttentionHeads, pass.FirstTokensOnly, pass.At(config.AttentionProbsDropoutProb, 0),
        pass.Chosen, view);

    /// <summary>The biases are added before the projections are turned.</summary>
    private PackedAttention.Inputs Inputs(Saved saved)
    {
        var (size, data) = (config.HiddenSize, (nint)LibTorch.Floats(saved.Projections));
        PackedAttention.Matrix query = saved.Query is { } asked ? new(LibTorch.Floats(asked), size) : new(data, 3 * size);
        return new(query, new(data + size * sizeof(float), 3 * size), new(data + 2 * size * sizeof(float), 3 * size), 0, 0, 0);
    }

    /// <summary>A norm's work: normalised values (L,H), inverse deviations (L), and the output (L,H).</summary>
    private sealed record Normed(Tensor Unit, Tensor Inverse, Tensor Output) : IDisposable
    {
        public void Dispose()
        {
            Unit.Dispose();
            Inverse.Dispose();
            Output.Dispose();
        }
    }

    private new sealed class Saved : EncoderLayer.Saved
    {
        internal Normed? Attention { get; set; }

        internal Tensor? Query { get; set; }                                                                           // (L,H), where not all tokens ask

        internal Tensor Projections { get; set; } = null!;                                                             // (T,3H), with biases, queries and keys turned

        internal Tensor LogSums { get; set; } = null!;                                                                 // (L,N)

        internal Tensor Context { get; set; } = null!;                                                                 // (L,H)

        internal Normed FeedForward { get; set; } = null!;

        internal Tensor Inner { get; set; } = null!;                                                                   // (L,2I), with bias

        internal Tensor Activated { get; set; } = null!;                                                               // (L,I), after dropout

        private protected override void DisposeAllButInput()
        {
            Attention?.Dispose();
            FeedForward.Dispose();
            foreach (var tensor in (ReadOnlySpan<Tensor?>)[Query, Projections, LogSums, Context, Inner, Activated]) tensor?.Dispose();
        }
    }
}
