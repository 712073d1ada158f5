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

    internal BertEncoder(WeightStore store, string prefix, BertConfig config)
    {
        this.config = config;
        embeddings = new(store, prefix + "embeddings", config);
        layer = [.. Enumerable.Range(0, config.NumHiddenLayers).Select(i => new BertLayer(store, $"{prefix}encoder.layer.{i}", config))];
        pooler = new(store, prefix + "pooler.dense", config.HiddenSize, config.HiddenSize);
    }

    internal Weight WordEmbeddings => embeddings.WordEmbeddings;

    /// <summary>Number of places where dropout stands before the pooler's own.</summary>
    internal int DropoutPlaces => 1 + 3 * layer.Length;

    /// <summary>Runs the encoder for classification: only the first token's state of each row leaves the last layer.</summary>
    /// <param name="batch">The rows.</param>
    /// <param name="dropoutKey">Key of the update's dropout; null in evaluation.</param>
    /// <param name="saved">Receives what backward needs; null in evaluation, where nothing is kept.</param>
    /// <returns>The pooled output, (R,H).</returns>
    internal Tensor Forward(Batch batch, ulong? dropoutKey, out Saved? saved)
    {
        var run = new Saved { Batch = batch, DropoutKey = dropoutKey };
        saved = dropoutKey is null ? null : run;
        var time = Profiler.Measure("embeddings");
        var hidden = embeddings.Forward(batch, run.Embeddings(config), out var embedded);
        run.Embedded = embedded;
        time.Dispose();
        for (var i = 0; i < layer.Length; i++)
        {
            var last = i == layer.Length - 1;
            hidden = layer[i].Forward(hidden, batch.Sequences, firstTokensOnly: last, run.Layer(config, i), out var state);
            if (saved is null) state.Dispose();
            else run.Layers.Add(state);
        }
        run.First = hidden;
        using var head = Profiler.Measure("head");
        var pooled = Pool(hidden, out var sum);
        run.PooledSum = sum;
        if (saved is null) run.Dispose();
        return pooled;
    }

    /// <summary>Adds all weights' gradients.</summary>
    /// <param name="saved">From <see cref="Forward"/>; disposed.</param>
    /// <param name="gradient">(R,H) of the pooled output; overwritten.</param>
    internal void Backward(Saved saved, Tensor gradient)
    {
        using var ownership = saved;
        var time = Profiler.Measure("head");
        Activation.Tanh.Backward(LibTorch.Floats(gradient), LibTorch.Floats(saved.PooledSum!), pooler.BiasGradient(), saved.Batch.Rows, config.HiddenSize);
        pooler.AddWeightGradient(gradient, saved.First!);
        var hidden = pooler.InputGradient(gradient);
        time.Dispose();
        for (var i = layer.Length - 1; i >= 0; i--)
        {
            hidden = layer[i].Backward(saved.Layers[i], saved.Batch.Sequences, saved.Layer(config, i), hidden);
            saved.Layers[i].Dispose();
        }
        using var rest = Profiler.Measure("embeddings");
        embeddings.Backward(saved.Batch, saved.Embedded!, hidden, saved.Embeddings(config));
        hidden.Dispose();
    }

    /// <summary>Runs all tokens through all layers, without dropout.</summary>
    /// <returns>The state after the embeddings and after each layer, (T,H) each; and the pooled output, (R,H).</returns>
    internal (List<Tensor> HiddenStates, Tensor Pooled) AllStates(Batch batch)
    {
        var hidden = embeddings.Forward(batch, Dropout.None, out var embedded);
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
        var pooled = Pool(first, out var sum);
        sum.Dispose();
        return (states, pooled);
    }

    /// <summary>tanh(first W' + bias).</summary>
    /// <param name="first">(R,H), the first token's state of each row.</param>
    /// <param name="sum">Receives (R,H), before tanh.</param>
    /// <returns>(R,H).</returns>
    private Tensor Pool(Tensor first, out Tensor sum)
    {
        sum = pooler.Forward(first);
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
    internal sealed class Saved : IDisposable
    {
        internal required Batch Batch { get; init; }

        internal required ulong? DropoutKey { get; init; }

        internal BertEmbeddings.Saved? Embedded { get; set; }

        internal List<BertLayer.Saved> Layers { get; } = [];

        internal Tensor? First { get; set; }                                                                           // (R,H), after the last layer

        internal Tensor? PooledSum { get; set; }                                                                       // (R,H), before tanh

        internal Dropout Embeddings(BertConfig config) => At(config.HiddenDropoutProb, 0);

        internal BertLayer.Dropouts Layer(BertConfig config, int layer) => new(
            At(config.AttentionProbsDropoutProb, 1 + 3 * layer),
            At(config.HiddenDropoutProb, 2 + 3 * layer),
            At(config.HiddenDropoutProb, 3 + 3 * layer));

        internal Dropout At(double probability, int place) => DropoutKey is { } key ? new Dropout(probability, key, place) : Dropout.None;

        public void Dispose()
        {
            Embedded?.Dispose();
            foreach (var state in Layers) state.Dispose();
            First?.Dispose();
            PooledSum?.Dispose();
        }
    }
}
