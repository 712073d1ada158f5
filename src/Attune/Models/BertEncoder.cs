using Attune.Batching;
using Attune.Kernels;
using Attune.Native;
using Attune.Profiling;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: T tokens, R rows, H hidden size.

/// <summary>Embeddings, layers and pooler: what all BERT models share.</summary>
internal sealed unsafe class BertEncoder : IDisposable
{
    private readonly BertConfig config;
    private readonly BertEmbeddings embeddings;
    private readonly BertLayer[] layer;
    private readonly Linear pooler;
    private readonly Weight[][] parts;                                     // of the embeddings, of each layer, of the pooler: in the order of forward

    internal BertEncoder(WeightStore store, string prefix, BertConfig config)
    {
        this.config = config;
        List<Weight[]> declared = [];
        embeddings = Part(() => new BertEmbeddings(store, prefix + "embeddings", config));
        layer = [.. Enumerable.Range(0, config.NumHiddenLayers).Select(i => Part(() => new BertLayer(store, $"{prefix}encoder.layer.{i}", config)))];
        pooler = Part(() => new Linear(store, prefix + "pooler.dense", config.HiddenSize, config.HiddenSize));
        parts = [.. declared];

        T Part<T>(Func<T> create)
        {
            var before = store.All.Count;
            var part = create();
            declared.Add([.. store.All.Skip(before)]);
            return part;
        }
    }

    internal Weight WordEmbeddings => embeddings.WordEmbeddings;

    /// <summary>Number of places where dropout stands before the pooler's own.</summary>
    internal int DropoutPlaces => 1 + 3 * layer.Length;

    /// <summary>Whether backward computes each layer again from its input, in place of keeping what it needs.</summary>
    internal bool GradientCheckpointing { get; set; }

    /// <summary>As <see cref="BertForSequenceClassification.NeftuneNoiseAlpha"/>.</summary>
    internal double NoiseAlpha { get; set; }

    /// <summary>Number of parts, from the embeddings on, before the first that has a weight to train: backward does not reach them.</summary>
    internal int FrozenParts => Array.FindIndex(parts, part => Array.Exists(part, weight => weight.RequiresGrad)) is >= 0 and var first ? first : parts.Length;

    /// <summary>Whether the frozen parts' output is one line for each row, and not one for each token.</summary>
    internal bool IsFrozenOutputByRow => FrozenParts >= layer.Length + 1;

    /// <summary>Whether the frozen parts have dropout, or noise, in training.</summary>
    internal bool IsFrozenPartDropping =>
        FrozenParts > 0 && (config.HiddenDropoutProb > 0 || NoiseAlpha > 0) || FrozenParts > 1 && config.AttentionProbsDropoutProb > 0;

    /// <summary>Runs the encoder for classification: only the first token's state of each row leaves the last layer.</summary>
    /// <param name="batch">The rows.</param>
    /// <param name="dropoutKey">Key of the update's dropout; null in evaluation.</param>
    /// <param name="pass">What is special about this pass.</param>
    /// <param name="saved">Receives what backward needs; null in evaluation, where nothing is kept unless the pass is explained.</param>
    /// <returns>The pooled output, (R,H).</returns>
    internal Tensor Forward(Batch batch, ulong? dropoutKey, PassOptions pass, out Saved? saved)
    {
        if (pass.IsExplained) dropoutKey = null;
        else if (dropoutKey is { } key && pass.Number > 0) dropoutKey = Dropout.Key(key, pass.Number);
        var isKept = dropoutKey is not null || pass.IsExplained;
        var run = new Saved(layer.Length) { Batch = batch, DropoutKey = dropoutKey, FirstTrained = pass.IsExplained ? 0 : FrozenParts, Pass = pass };
        var state = pass.Frozen;
        for (var part = state is null ? 0 : run.FirstTrained; part < parts.Length; part++)
            state = Forward(part, state, run, isKept && part >= run.FirstTrained);
        saved = isKept ? run : null;
        return state!;
    }

    /// <summary>The output of the frozen parts without dropout; there must be one.</summary>
    /// <returns>(T,H), or (R,H) where <see cref="IsFrozenOutputByRow"/>.</returns>
    internal Tensor FrozenOutput(Batch batch)
    {
        var run = new Saved(layer.Length) { Batch = batch, DropoutKey = null, FirstTrained = FrozenParts };
        Tensor? state = null;
        for (var part = 0; part < run.FirstTrained; part++) state = Forward(part, state, run, isKept: false);
        return state!;
    }

    /// <summary>Adds the gradients of all weights that are trained.</summary>
    /// <param name="saved">From <see cref="Forward(Batch, ulong?, PassOptions, out Saved?)"/>; disposed.</param>
    /// <param name="gradient">(R,H) of the pooled output; overwritten.</param>
    internal void Backward(Saved saved, Tensor gradient)
    {
        using var ownership = saved;
        if (saved.FirstTrained > layer.Length + 1) return;
        var time = Profiler.Measure("head");
        Activation.Tanh.Backward(LibTorch.Floats(gradient), LibTorch.Floats(saved.PooledSum!), pooler.BiasGradient(), saved.Batch.Rows, config.HiddenSize);
        var first = new LoraLayer.Pass(saved.Batch.Sequences.FirstTokens, saved.DropoutKey);
        pooler.AddWeightGradient(gradient, saved.First!, first);
        var hidden = saved.FirstTrained > layer.Length ? null : pooler.InputGradient(gradient, first);
        time.Dispose();
        if (hidden is null) return;
        for (var i = layer.Length - 1; i >= Math.Max(0, saved.FirstTrained - 1); i--)
        {
            var (state, dropouts) = (saved.Layers[i]!, saved.Layer(config, i));
            if (state.IsInputOnly) layer[i].Forward(state.Hidden, saved.Batch.Sequences, IsLast(i), dropouts, out state).Dispose();
            saved.Layers[i] = state;
            hidden = layer[i].Backward(state, saved.Batch.Sequences, dropouts, hidden, wantsInputGradient: i >= saved.FirstTrained);
            state.Dispose();
        }
        if (saved.FirstTrained == 0)
        {
            using var rest = Profiler.Measure("embeddings");
            embeddings.Backward(saved.Batch, saved.Embedded!, hidden, saved.Embeddings(config), saved.Pass.Move);
        }
        hidden.Dispose();
    }

    /// <summary>Runs all tokens through all layers, without dropout.</summary>
    /// <returns>The state after the embeddings and after each layer, (T,H) each; and the pooled output, (R,H).</returns>
    internal (List<Tensor> HiddenStates, Tensor Pooled) AllStates(Batch batch)
    {
        var hidden = embeddings.Forward(batch, Dropout.None, EmbeddingNoise.None, move: null, out var embedded);
        embedded.Dispose();
        List<Tensor> states = [hidden];
        foreach (var one in layer)
        {
            var input = hidden.alias();
            hidden = one.Forward(input, batch.Sequences, firstTokensOnly: false, default, out var state);
            state.Dispose();
            states.Add(hidden);
        }
        using var first = BertLayer.FirstTokens(hidden, batch.Sequences);
        var pooled = Pool(first, new(batch.Sequences.FirstTokens, DropoutKey: null), out var sum);
        sum.Dispose();
        return (states, pooled);
    }

    private bool IsLast(int index) => index == layer.Length - 1;

    /// <summary>Runs one part: the embeddings, a layer, or the pooler.</summary>
    /// <param name="part">Its number in the order of forward.</param>
    /// <param name="input">The former part's output; belongs to this part from now on. Null for the embeddings.</param>
    /// <param name="run">The pass; receives what backward needs.</param>
    /// <param name="isKept">Whether backward will come here.</param>
    private Tensor Forward(int part, Tensor? input, Saved run, bool isKept)
    {
        if (part == 0)
        {
            using var time = Profiler.Measure("embeddings");
            var embedded = embeddings.Forward(run.Batch, run.Embeddings(config), run.Noise(NoiseAlpha), run.Pass.Move, out var sums);
            if (isKept) run.Embedded = sums;
            else sums.Dispose();
            return embedded;
        }
        var i = part - 1;
        if (i == layer.Length)
        {
            using var time = Profiler.Measure("head");
            var pooled = Pool(input!, new(run.Batch.Sequences.FirstTokens, run.DropoutKey), out var sum);
            (run.First, run.PooledSum) = (input, sum);
            if (!isKept) run.Dispose();
            return pooled;
        }
        var output = layer[i].Forward(input!, run.Batch.Sequences, firstTokensOnly: IsLast(i), run.Layer(config, i), out var state);
        // Backward begins with the last layer, before the others take memory again: to keep it whole costs nothing.
        if (isKept && GradientCheckpointing && !IsLast(i)) state.KeepInputOnly();
        if (isKept) run.Layers[i] = state;
        else state.Dispose();
        return output;
    }

    /// <summary>tanh(first W' + bias).</summary>
    /// <param name="first">(R,H), the first token's state of each row.</param>
    /// <param name="pass">What the lines are.</param>
    /// <param name="sum">Receives (R,H), before tanh.</param>
    /// <returns>(R,H).</returns>
    private Tensor Pool(Tensor first, LoraLayer.Pass pass, out Tensor sum)
    {
        sum = pooler.Forward(first, pass);
        var (rows, pooled) = ((int)first.shape[0], LibTorch.Empty(first.shape));
        Activation.Tanh.Forward(LibTorch.Floats(sum), pooler.Bias, LibTorch.Floats(pooled), rows, config.HiddenSize);
        return pooled;
    }

    public void Dispose()
    {
        foreach (var one in layer) one.Dispose();
        pooler.Dispose();
    }

    /// <summary>One forward pass, as backward needs it.</summary>
    internal sealed class Saved(int layers) : IDisposable
    {
        internal required Batch Batch { get; init; }

        /// <summary>Number of the first part that backward reaches.</summary>
        internal required int FirstTrained { get; init; }

        internal required ulong? DropoutKey { get; init; }

        internal PassOptions Pass { get; init; }

        internal BertEmbeddings.Saved? Embedded { get; set; }

        internal BertLayer.Saved?[] Layers { get; } = new BertLayer.Saved?[layers];

        internal Tensor? First { get; set; }                                                                           // (R,H), after the last layer

        internal Tensor? PooledSum { get; set; }                                                                       // (R,H), before tanh

        internal Dropout Embeddings(BertConfig config) => At(config.HiddenDropoutProb, 0);

        internal EmbeddingNoise Noise(double alpha) => DropoutKey is { } key ? new EmbeddingNoise(alpha, key) : EmbeddingNoise.None;

        internal BertLayer.Dropouts Layer(BertConfig config, int layer) => new(
            At(config.AttentionProbsDropoutProb, 1 + 3 * layer),
            At(config.HiddenDropoutProb, 2 + 3 * layer),
            At(config.HiddenDropoutProb, 3 + 3 * layer),
            DropoutKey);

        internal Dropout At(double probability, int place) => DropoutKey is { } key ? new Dropout(probability, key, place) : Dropout.None;

        public void Dispose()
        {
            Embedded?.Dispose();
            foreach (var state in Layers) state?.Dispose();
            First?.Dispose();
            PooledSum?.Dispose();
        }
    }
}
