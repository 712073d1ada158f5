using Attune.Kernels;
using Attune.Native;
using Attune.Profiling;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: T tokens, R rows, L lines of the output (T, or R where only first tokens are computed), H hidden size, I intermediate size, N heads.

/// <summary>One layer of the encoder: self-attention and feed-forward, each with its residual and LayerNorm.</summary>
internal sealed unsafe class BertLayer : IDisposable
{
    private readonly BertConfig config;
    private readonly Linear query, key, value, queryKeyValue, keyValue, attention_output, intermediate, output;
    private readonly LayerNorm attention_norm, output_norm;
    private readonly Activation activation;

    internal BertLayer(WeightStore store, string name, BertConfig config)
    {
        this.config = config;
        int hidden = config.HiddenSize, inner = config.IntermediateSize;
        query = new(store, name + ".attention.self.query", hidden, hidden, mayRound: true);
        key = new(store, name + ".attention.self.key", hidden, hidden, mayRound: true);
        value = new(store, name + ".attention.self.value", hidden, hidden, mayRound: true);
        queryKeyValue = Linear.Joined(query, key, value);
        keyValue = Linear.Joined(key, value);
        attention_output = new(store, name + ".attention.output.dense", hidden, hidden, mayRound: true);
        attention_norm = new(store, name + ".attention.output.LayerNorm", hidden);
        intermediate = new(store, name + ".intermediate.dense", hidden, inner, mayRound: true);
        output = new(store, name + ".output.dense", inner, hidden, mayRound: true);
        output_norm = new(store, name + ".output.LayerNorm", hidden);
        activation = Activation.Named(config.HiddenAct);
    }

    /// <summary>Dropout at the layer's three places, and the key from which adapters draw theirs; null where nothing is dropped.</summary>
    internal readonly record struct Dropouts(Dropout Attention, Dropout AttentionOutput, Dropout Output, ulong? Key);

    /// <param name="hidden">(T,H); belongs to <paramref name="saved"/> from now on.</param>
    /// <param name="sequences">The rows.</param>
    /// <param name="firstTokensOnly">Whether only each row's first token is wanted: keys and values are still computed for all.</param>
    /// <param name="dropouts">None in evaluation.</param>
    /// <param name="saved">What backward needs.</param>
    /// <returns>(L,H).</returns>
    internal Tensor Forward(Tensor hidden, Sequences sequences, bool firstTokensOnly, Dropouts dropouts, out Saved saved)
    {
        using var part = Profiler.Measure("attention");
        saved = new Saved { Hidden = hidden, FirstTokensOnly = firstTokensOnly };
        int size = config.HiddenSize, lines = firstTokensOnly ? sequences.Rows : sequences.Tokens;
        var at = firstTokensOnly ? sequences.FirstTokens : sequences.AllTokens;
        LoraLayer.Pass pass = new(at, dropouts.Key), all = new(sequences.AllTokens, dropouts.Key);
        saved.Asking = firstTokensOnly ? FirstTokens(hidden, sequences) : hidden;                                      // (L,H)
        if (firstTokensOnly) saved.Query = query.Forward(saved.Asking, pass);                                          // (R,H)
        saved.Projections = (firstTokensOnly ? keyValue : queryKeyValue).Forward(hidden, all);                         // (T,2H) or (T,3H)

        saved.LogSums = LibTorch.Empty(lines, config.NumAttentionHeads);
        saved.Context = LibTorch.Empty(lines, size);
        Attention(sequences, saved, dropouts.Attention).Forward(Inputs(saved), LibTorch.Floats(saved.Context), LibTorch.Floats(saved.LogSums));

        (saved.AttentionUnit, saved.AttentionInverse) = (attention_output.Forward(saved.Context, pass), LibTorch.Empty(lines));
        saved.Attended = LibTorch.Empty(lines, size);
        ResidualNorm.Forward(LibTorch.Floats(saved.AttentionUnit), attention_output.Bias, LibTorch.Floats(saved.Asking),
            attention_norm.Weight.Data, attention_norm.Bias.Data, config.LayerNormEps, LibTorch.Floats(saved.Attended),
            LibTorch.Floats(saved.AttentionInverse), at, size, dropouts.AttentionOutput);

        part.Next("feed-forward");
        saved.Inner = intermediate.Forward(saved.Attended, pass);                                                      // (L,I)
        saved.Activated = LibTorch.Empty(lines, config.IntermediateSize);
        activation.Forward(LibTorch.Floats(saved.Inner), intermediate.Bias, LibTorch.Floats(saved.Activated), lines, config.IntermediateSize);

        (saved.OutputUnit, saved.OutputInverse) = (output.Forward(saved.Activated, pass), LibTorch.Empty(lines));
        var result = LibTorch.Empty(lines, size);
        ResidualNorm.Forward(LibTorch.Floats(saved.OutputUnit), output.Bias, LibTorch.Floats(saved.Attended),
            output_norm.Weight.Data, output_norm.Bias.Data, config.LayerNormEps, LibTorch.Floats(result),
            LibTorch.Floats(saved.OutputInverse), at, size, dropouts.Output);
        return result;
    }

    /// <param name="saved">From <see cref="Forward"/>.</param>
    /// <param name="sequences">The rows.</param>
    /// <param name="dropouts">As in <see cref="Forward"/>.</param>
    /// <param name="gradient">(L,H) of the output; overwritten and, where the same buffer serves, returned.</param>
    /// <param name="wantsInputGradient">Whether anything below is trained.</param>
    /// <returns>(T,H), the gradient of the input; without meaning where it is not wanted.</returns>
    internal Tensor Backward(Saved saved, Sequences sequences, Dropouts dropouts, Tensor gradient, bool wantsInputGradient)
    {
        using var part = Profiler.Measure("feed-forward");
        int size = config.HiddenSize, lines = (int)gradient.shape[0];
        var at = saved.FirstTokensOnly ? sequences.FirstTokens : sequences.AllTokens;
        var pass = new LoraLayer.Pass(at, dropouts.Key);
        using (var inner = LibTorch.Empty(lines, size))
        {
            ResidualNorm.Backward(LibTorch.Floats(gradient), LibTorch.Floats(saved.OutputUnit), output_norm.Weight.Data,
                LibTorch.Floats(saved.OutputInverse), LibTorch.Floats(inner), output_norm.Weight.GradientToAddTo(),
                output_norm.Bias.GradientToAddTo(), output.BiasGradient(), at, size, dropouts.Output);
            output.AddWeightGradient(inner, saved.Activated, pass);
            using var wide = output.InputGradient(inner, pass);                                                        // (L,I)
            activation.Backward(LibTorch.Floats(wide), LibTorch.Floats(saved.Inner), intermediate.BiasGradient(), lines, config.IntermediateSize);
            intermediate.AddWeightGradient(wide, saved.Attended, pass);
            intermediate.AddInputGradient(wide, gradient, pass);

            part.Next("attention");
            ResidualNorm.Backward(LibTorch.Floats(gradient), LibTorch.Floats(saved.AttentionUnit), attention_norm.Weight.Data,
                LibTorch.Floats(saved.AttentionInverse), LibTorch.Floats(inner), attention_norm.Weight.GradientToAddTo(),
                attention_norm.Bias.GradientToAddTo(), attention_output.BiasGradient(), at, size, dropouts.AttentionOutput);
            attention_output.AddWeightGradient(inner, saved.Context, pass);
            using var context = attention_output.InputGradient(inner, pass);
            return AttentionBackward(saved, sequences, dropouts, context, gradient, wantsInputGradient);
        }
    }

    public void Dispose()
    {
        foreach (var linear in (ReadOnlySpan<Linear>)[query, key, value, queryKeyValue, keyValue, attention_output, intermediate, output])
            linear.Dispose();
    }

    private Tensor AttentionBackward(Saved saved, Sequences sequences, Dropouts dropouts, Tensor context, Tensor gradient, bool wantsInputGradient)
    {
        int size = config.HiddenSize, width = (int)saved.Projections.shape[1];
        var attention = Attention(sequences, saved, dropouts.Attention);
        LoraLayer.Pass all = new(sequences.AllTokens, dropouts.Key), first = new(sequences.FirstTokens, dropouts.Key);
        using var projections = LibTorch.Empty(sequences.Tokens, width);
        var data = LibTorch.Floats(projections);
        if (!saved.FirstTokensOnly)
        {
            attention.Backward(Inputs(saved), LibTorch.Floats(saved.LogSums), LibTorch.Floats(context),
                new(data, width), new(data + size, width), new(data + 2 * size, width));
            queryKeyValue.AddBiasGradient(projections);
            queryKeyValue.AddWeightGradient(projections, saved.Hidden, all);
            if (wantsInputGradient) queryKeyValue.AddInputGradient(projections, gradient, all);
            return gradient;
        }

        using var asked = LibTorch.Empty(sequences.Rows, size);
        attention.Backward(Inputs(saved), LibTorch.Floats(saved.LogSums), LibTorch.Floats(context),
            new(LibTorch.Floats(asked), size), new(data, width), new(data + size, width));
        query.AddBiasGradient(asked);
        query.AddWeightGradient(asked, saved.Asking, first);
        keyValue.AddBiasGradient(projections);
        keyValue.AddWeightGradient(projections, saved.Hidden, all);
        if (!wantsInputGradient) return gradient;
        query.AddInputGradient(asked, gradient, first);
        var result = keyValue.InputGradient(projections, all);
        for (var row = 0; row < sequences.Rows; row++)
            Vectors.Add(LibTorch.Floats(result) + (long)sequences.Offsets[row] * size, LibTorch.Floats(gradient) + (long)row * size, size);
        gradient.Dispose();
        return result;
    }

    private PackedAttention Attention(Sequences sequences, Saved saved, Dropout dropout) =>
        new(sequences, config.NumAttentionHeads, config.HiddenSize / config.NumAttentionHeads, saved.FirstTokensOnly, dropout);

    private PackedAttention.Inputs Inputs(Saved saved)
    {
        int size = config.HiddenSize, width = (int)saved.Projections.shape[1];
        var data = LibTorch.Floats(saved.Projections);
        var biases = ((nint)query.Bias, (nint)key.Bias, (nint)value.Bias);
        return saved.FirstTokensOnly
            ? new(new(LibTorch.Floats(saved.Query!), size), new(data, width), new(data + size, width), biases.Item1, biases.Item2, biases.Item3)
            : new(new(data, width), new(data + size, width), new(data + 2 * size, width), biases.Item1, biases.Item2, biases.Item3);
    }

    /// <summary>The first token's state of each row: (T,H) -> (R,H).</summary>
    internal static Tensor FirstTokens(Tensor hidden, Sequences sequences)
    {
        var size = (int)hidden.shape[1];
        var first = LibTorch.Empty(sequences.Rows, size);
        for (var row = 0; row < sequences.Rows; row++)
            new Span<float>(LibTorch.Floats(hidden) + (long)sequences.Offsets[row] * size, size)
                .CopyTo(new Span<float>(LibTorch.Floats(first) + (long)row * size, size));
        return first;
    }

    /// <summary>What backward needs of one forward pass through the layer.</summary>
    internal sealed class Saved : IDisposable
    {
        internal bool FirstTokensOnly { get; init; }

        /// <summary>Whether all but the input is gone, to be computed again.</summary>
        internal bool IsInputOnly { get; private set; }

        internal required Tensor Hidden { get; init; }                                                                 // (T,H), the input

        internal Tensor Asking { get; set; } = null!;                                                                  // (L,H), its lines that ask

        internal Tensor? Query { get; set; }                                                                           // (R,H)

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

        internal void KeepInputOnly()
        {
            foreach (var tensor in (ReadOnlySpan<Tensor?>)[ReferenceEquals(Asking, Hidden) ? null : Asking, Query, Projections, LogSums, Context, AttentionUnit,
                AttentionInverse, Attended, Inner, Activated, OutputUnit, OutputInverse])
                tensor?.Dispose();
            IsInputOnly = true;
        }

        public void Dispose()
        {
            KeepInputOnly();
            Hidden.Dispose();
        }
    }
}
