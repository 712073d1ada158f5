using Attune.Kernels;
using Attune.Native;
using Attune.Profiling;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: T tokens, R rows, L lines of the output (T, or R where only first tokens are computed), H hidden size, I intermediate size, N heads.

/// <summary>A layer as BERT has it: self-attention and feed-forward, each with its residual and LayerNorm.</summary>
internal sealed unsafe class BertLayer : EncoderLayer
{
    private readonly PreTrainedConfig config;
    private readonly BertLayerForm form;
    private readonly Linear query, key, value, queryKeyValue, keyValue, attention_output, intermediate, output;
    private readonly LayerNorm attention_norm, output_norm;
    private readonly Activation activation;
    private readonly RelativeAttention? relative;

    /// <param name="store">Where the weights are declared.</param>
    /// <param name="name">Of the layer in the file of weights.</param>
    /// <param name="config">Of the model.</param>
    /// <param name="form">Of the family.</param>
    /// <param name="relative">Makes, of the layer's name and its projections to queries and keys, what relative positions add to its attention; null for nothing.</param>
    internal BertLayer(
        WeightStore store, string name, PreTrainedConfig config, BertLayerForm form, Func<string, Linear, Linear, RelativeAttention>? relative = null)
    {
        (this.config, this.form) = (config, form);
        int hidden = config.HiddenSize, inner = config.IntermediateSize;
        var first = form.OutputNormIsFirst ? Norm(form.OutputNorm) : null;
        query = Dense(form.Query, hidden, hidden);
        key = Dense(form.Key, hidden, hidden);
        value = Dense(form.Value, hidden, hidden);
        queryKeyValue = Linear.Joined(query, key, value);
        keyValue = Linear.Joined(key, value);
        this.relative = relative?.Invoke(name, query, key);
        attention_output = Dense(form.AttentionOutput, hidden, hidden);
        attention_norm = Norm(form.AttentionNorm);
        intermediate = Dense(form.Intermediate, hidden, inner);
        output = Dense(form.Output, inner, hidden);
        output_norm = first ?? Norm(form.OutputNorm);
        activation = Activation.Named(config.HiddenAct);

        Linear Dense(string part, int inputs, int outputs) => new(store, $"{name}.{part}", inputs, outputs, mayRound: true);
        LayerNorm Norm(string part) => new(store, $"{name}.{part}", hidden);
    }

    internal override int DropoutPlaces => base.DropoutPlaces + (relative?.DropoutPlaces ?? 0);

    internal override Tensor Forward(Tensor hidden, LayerPass pass, out EncoderLayer.Saved kept)
    {
        using var part = Profiler.Measure("attention");
        var saved = new Saved { Hidden = hidden };
        kept = saved;
        var (sequences, at, adapters) = (pass.Sequences, pass.Lines, pass.Adapters);
        int size = config.HiddenSize, lines = at.Count;
        saved.Asking = pass.WantsAllTokens ? hidden : Wanted(hidden, pass);                                            // (L,H)
        if (!pass.WantsAllTokens) saved.Query = query.Forward(saved.Asking, adapters);                                 // (L,H)
        saved.Projections = (pass.WantsAllTokens ? queryKeyValue : keyValue).Forward(hidden, pass.AdaptersOfAll);      // (T,3H) or (T,2H)

        saved.LogSums = LibTorch.Empty(lines, config.NumAttentionHeads);
        saved.Context = LibTorch.Empty(lines, size);
        saved.Relative = relative?.Forward(pass with { FirstPlace = pass.FirstPlace + base.DropoutPlaces });
        Attention(pass, saved).Forward(Inputs(saved), LibTorch.Floats(saved.Context), LibTorch.Floats(saved.LogSums));

        (saved.AttentionUnit, saved.AttentionInverse) = (attention_output.Forward(saved.Context, adapters), LibTorch.Empty(lines));
        saved.Attended = LibTorch.Empty(lines, size);
        ResidualNorm.Forward(LibTorch.Floats(saved.AttentionUnit), attention_output.Bias, LibTorch.Floats(saved.Asking),
            attention_norm.Weight.Data, attention_norm.Shift, config.LayerNormEps, LibTorch.Floats(saved.Attended),
            LibTorch.Floats(saved.AttentionInverse), at, size, AttentionOutputDropout(pass));

        part.Next("feed-forward");
        saved.Inner = intermediate.Forward(saved.Attended, adapters);                                                  // (L,I)
        saved.Activated = LibTorch.Empty(lines, config.IntermediateSize);
        activation.Forward(LibTorch.Floats(saved.Inner), intermediate.Bias, LibTorch.Floats(saved.Activated), lines, config.IntermediateSize);

        (saved.OutputUnit, saved.OutputInverse) = (output.Forward(saved.Activated, adapters), LibTorch.Empty(lines));
        var result = LibTorch.Empty(lines, size);
        ResidualNorm.Forward(LibTorch.Floats(saved.OutputUnit), output.Bias, LibTorch.Floats(saved.Attended),
            output_norm.Weight.Data, output_norm.Shift, config.LayerNormEps, LibTorch.Floats(result),
            LibTorch.Floats(saved.OutputInverse), at, size, OutputDropout(pass));
        return result;
    }

    internal override Tensor Backward(EncoderLayer.Saved kept, LayerPass pass, Tensor gradient, bool wantsInputGradient)
    {
        using var part = Profiler.Measure("feed-forward");
        var saved = (Saved)kept;
        int size = config.HiddenSize, lines = (int)gradient.shape[0];
        var (at, adapters) = (pass.Lines, pass.Adapters);
        using (var inner = LibTorch.Empty(lines, size))
        {
            ResidualNorm.Backward(LibTorch.Floats(gradient), LibTorch.Floats(saved.OutputUnit), output_norm.Weight.Data,
                LibTorch.Floats(saved.OutputInverse), LibTorch.Floats(inner), output_norm.Weight.GradientToAddTo(),
                output_norm.ShiftGradient(), output.BiasGradient(), at, size, OutputDropout(pass));
            output.AddWeightGradient(inner, saved.Activated, adapters);
            using var wide = output.InputGradient(inner, adapters);                                                    // (L,I)
            activation.Backward(LibTorch.Floats(wide), LibTorch.Floats(saved.Inner), intermediate.BiasGradient(), lines, config.IntermediateSize);
            intermediate.AddWeightGradient(wide, saved.Attended, adapters);
            intermediate.AddInputGradient(wide, gradient, adapters);

            part.Next("attention");
            ResidualNorm.Backward(LibTorch.Floats(gradient), LibTorch.Floats(saved.AttentionUnit), attention_norm.Weight.Data,
                LibTorch.Floats(saved.AttentionInverse), LibTorch.Floats(inner), attention_norm.Weight.GradientToAddTo(),
                attention_norm.ShiftGradient(), attention_output.BiasGradient(), at, size, AttentionOutputDropout(pass));
            attention_output.AddWeightGradient(inner, saved.Context, adapters);
            using var context = attention_output.InputGradient(inner, adapters);
            return AttentionBackward(saved, pass, context, gradient, wantsInputGradient);
        }
    }

    public override void Dispose()
    {
        foreach (var linear in (ReadOnlySpan<Linear>)[query, key, value, queryKeyValue, keyValue, attention_output, intermediate, output])
            linear.Dispose();
        relative?.Dispose();
    }

    private Tensor AttentionBackward(Saved saved, LayerPass pass, Tensor context, Tensor gradient, bool wantsInputGradient)
    {
        int size = config.HiddenSize, width = (int)saved.Projections.shape[1];
        var attention = Attention(pass, saved);
        var (sequences, all, first) = (pass.Sequences, pass.AdaptersOfAll, pass.Adapters);
        using var projections = LibTorch.Empty(sequences.Tokens, width);
        var data = LibTorch.Floats(projections);
        if (pass.WantsAllTokens)
        {
            attention.Backward(Inputs(saved), LibTorch.Floats(saved.LogSums), LibTorch.Floats(context),
                new(data, width), new(data + size, width), new(data + 2 * size, width), saved.Relative?.Gradients() ?? default);
            BackwardOfRelative(saved, pass);
            queryKeyValue.AddBiasGradient(projections);
            queryKeyValue.AddWeightGradient(projections, saved.Hidden, all);
            if (wantsInputGradient) queryKeyValue.AddInputGradient(projections, gradient, all);
            return gradient;
        }

        using var asked = LibTorch.Empty(pass.Lines.Count, size);
        attention.Backward(Inputs(saved), LibTorch.Floats(saved.LogSums), LibTorch.Floats(context),
            new(LibTorch.Floats(asked), size), new(data, width), new(data + size, width), saved.Relative?.Gradients() ?? default);
        BackwardOfRelative(saved, pass);
        query.AddBiasGradient(asked);
        query.AddWeightGradient(asked, saved.Asking, first);
        keyValue.AddBiasGradient(projections);
        keyValue.AddWeightGradient(projections, saved.Hidden, all);
        if (!wantsInputGradient) return gradient;
        query.AddInputGradient(asked, gradient, first);
        var result = keyValue.InputGradient(projections, all);
        AddToWanted(gradient, pass, result);
        gradient.Dispose();
        return result;
    }

    /// <summary>The lines that ask, where not all do.</summary>
    private Dropout AttentionOutputDropout(LayerPass pass) => form.DropsAttentionOutput ? pass.At(config.HiddenDropoutProb, 1) : Dropout.None;

    private Dropout OutputDropout(LayerPass pass) => form.DropsOutput ? pass.At(config.HiddenDropoutProb, 2) : Dropout.None;

    /// <summary>Before the products of joined weights: these are the last to sum the squares of what they share with it.</summary>
    private void BackwardOfRelative(Saved saved, LayerPass pass) =>
        relative?.Backward(saved.Relative!, pass with { FirstPlace = pass.FirstPlace + base.DropoutPlaces });

    private PackedAttention Attention(LayerPass pass, Saved saved) => new(
        pass.Sequences, config.NumAttentionHeads, config.HiddenSize / config.NumAttentionHeads, pass.FirstTokensOnly, pass.At(config.AttentionProbsDropoutProb, 0),
        pass.Chosen, saved.Relative?.View ?? default);

    private PackedAttention.Inputs Inputs(Saved saved)
    {
        int size = config.HiddenSize, width = (int)saved.Projections.shape[1];
        var data = LibTorch.Floats(saved.Projections);
        var biases = ((nint)query.Bias, (nint)key.Bias, (nint)value.Bias);
        return saved.Query is { } asked
            ? new(new(LibTorch.Floats(asked), size), new(data, width), new(data + size, width), biases.Item1, biases.Item2, biases.Item3)
            : new(new(data, width), new(data + size, width), new(data + 2 * size, width), biases.Item1, biases.Item2, biases.Item3);
    }

    /// <inheritdoc/>
    private new sealed class Saved : EncoderLayer.Saved
    {
        internal Tensor Asking { get; set; } = null!;                                                                  // (L,H), the input's lines that ask

        internal Tensor? Query { get; set; }                                                                           // (L,H), where not all tokens ask

        internal RelativeAttention.Pass? Relative { get; set; }

        internal Tensor Projections { get; set; } = null!;                                                             // (T,3H) or (T,2H)

        internal Tensor LogSums { get; set; } = null!;                                                                 // (L,N)

        internal Tensor Context { get; set; } = null!;                                                                 // (L,H)

        internal Tensor AttentionUnit { get; set; } = null!;                                                           // (L,H), before weight and bias of the norm

        internal Tensor AttentionInverse { get; set; } = null!;                                                        // (L)

        internal Tensor Attended { get; set; } = null!;                                                                // (L,H)

        internal Tensor Inner { get; set; } = null!;                                                                   // (L,I), with bias

        internal Tensor Activated { get; set; } = null!;                                                               // (L,I)

        internal Tensor OutputUnit { get; set; } = null!;                                                              // (L,H)

        internal Tensor OutputInverse { get; set; } = null!;                                                           // (L)

        private protected override void DisposeAllButInput()
        {
            foreach (var tensor in (ReadOnlySpan<Tensor?>)[ReferenceEquals(Asking, Hidden) ? null : Asking, Query, Projections, LogSums, Context, AttentionUnit,
                AttentionInverse, Attended, Inner, Activated, OutputUnit, OutputInverse])
                tensor?.Dispose();
            Relative?.Dispose();
        }
    }
}
