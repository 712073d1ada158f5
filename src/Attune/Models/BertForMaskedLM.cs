using Attune.Batching;
using Attune.Kernels;
using Attune.Native;
using Attune.Profiling;

namespace Attune.Models;

// Legend: M tokens whose logits are wanted, H hidden size, V tokens of the vocabulary.

/// <summary>BERT with a head that finds hidden tokens, as transformers' class of the same name. The head's decoder is the table of the word embeddings.</summary>
/// <remarks>
/// A pooler, which the class of transformers does without, is kept where a folder has one, and is learned where rows are compared: a classifier begins with it.
/// </remarks>
public sealed unsafe class BertForMaskedLM : PreTrainedModel
{
    private const string Pooling = "pooler.dense", Projection = "cls.contrast.dense";

    private readonly MaskedLMHead head;
    private readonly RowPooler? pooler;

    private BertForMaskedLM(BertConfig config, double? dropout, bool hasPooler, bool comparesRows) : base(config)
    {
        var learning = dropout is { } share ? config with { HiddenDropoutProb = share, AttentionProbsDropoutProb = share } : config;
        Encoder = BertModel.Encode(Weights, EncoderPrefix, learning, readsAllTokens: true);
        if (hasPooler || comparesRows) pooler = new(Weights, EncoderPrefix + Pooling, comparesRows ? Projection : null, config.HiddenSize);
        head = new(Weights, "cls.predictions", Encoder.WordEmbeddings, config.HiddenAct, config.LayerNormEps);
        Weights.LayOut();
    }

    /// <inheritdoc/>
    public override string Architecture => nameof(BertForMaskedLM);

    internal override string EncoderPrefix => BertConfig.Prefix;

    /// <summary>Whether rows can be compared.</summary>
    internal bool ComparesRows => Weights.TryGet(Projection + ".weight", out _);

    /// <summary>The pooler's weights; empty where it has none.</summary>
    internal IEnumerable<Weight> PoolerWeights => Weights.All.Where(weight => weight.Name.StartsWith(EncoderPrefix + Pooling, StringComparison.Ordinal));

    private RowPooler Pooler => pooler ?? throw new InvalidOperationException("the model has no pooler");

    /// <summary>A model with new weights.</summary>
    /// <param name="config">Its configuration.</param>
    /// <param name="seed">Of the weights. Default 42.</param>
    /// <param name="dropout">In training, in place of what the configuration says; that is written as it is. Null for none such.</param>
    /// <param name="comparesRows">Whether it has a pooler and what compares rows by that, for a contrastive loss beside that of hidden tokens. Default false.</param>
    public static BertForMaskedLM FromConfig(BertConfig config, ulong seed = 42, double? dropout = null, bool comparesRows = false)
    {
        var model = new BertForMaskedLM(config, dropout, hasPooler: false, comparesRows);
        model.Initialize(seed);
        return model;
    }

    /// <summary>The model of a folder in Hugging Face's layout, with or without this head; without it the head is new.</summary>
    /// <param name="folder">The folder. Without weights the model starts from random ones; <see cref="PreTrainedModel.LoadReport"/> says so.</param>
    /// <param name="configure">Changes to the folder's configuration, dropout for example.</param>
    /// <param name="seed">Of the weights that the folder does not have. Default 42.</param>
    /// <param name="dropout">As in <see cref="FromConfig"/>.</param>
    /// <param name="comparesRows">As in <see cref="FromConfig"/>; what the folder does not have of it is new.</param>
    /// <exception cref="AttuneException">A file is missing, damaged, or of another family.</exception>
    public static BertForMaskedLM FromPretrained(
        string folder, Func<BertConfig, BertConfig>? configure = null, ulong seed = 42, double? dropout = null, bool comparesRows = false)
    {
        var config = BertConfig.Load(Path.Combine(folder, PreTrainedConfig.FileName));
        var model = new BertForMaskedLM(configure?.Invoke(config) ?? config, dropout, WeightLoading.Has(folder, Pooling), comparesRows);
        model.LoadWeights(folder, seed);
        return model;
    }

    /// <summary>Computes logits over the vocabulary and, where there are labels, the loss.</summary>
    /// <param name="batch">The rows.</param>
    /// <param name="labels">For each token the id that belongs there, or -100 where nothing is to be found: of these no logits are computed. Null computes those of all tokens.</param>
    /// <exception cref="AttuneException">A token or a label is outside the model's range.</exception>
    public MaskedLMOutput Forward(Batch batch, int[]? labels = null)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (labels is null) return Forward(batch, [.. Enumerable.Range(0, batch.Tokens)], targets: null);
        if (labels.Length != batch.Tokens) throw new ArgumentException($"there are {labels.Length} labels and {batch.Tokens} tokens", nameof(labels));
        var masked = MaskedTokens.Of(labels);
        return Forward(batch, masked.Positions, masked.Targets);
    }

    /// <summary>The same at some tokens only.</summary>
    /// <param name="batch">The rows.</param>
    /// <param name="positions">Places of the tokens in the batch, ascending.</param>
    /// <param name="targets">What belongs there; null where that is not asked.</param>
    /// <param name="readsRows">Whether the pooler says something of each row besides; then no row's first token is among the positions.</param>
    internal MaskedLMOutput Forward(Batch batch, int[] positions, int[]? targets, bool readsRows = false)
    {
        foreach (var target in targets ?? [])
            if ((uint)target >= (uint)Config.VocabSize)
                throw new AttuneException($"The label {target} is outside the model's vocabulary of {Config.VocabSize}: use the tokenizer that belongs to the model.");
        LibTorch.Load();
        using var time = Profiler.Measure("forward");
        if (positions.Length == 0 && !readsRows) return new MaskedLMOutput(this, null, positions, targets);
        var (asked, sequences) = (new ChosenTokens(batch.Sequences, positions), batch.Sequences);
        var chosen = readsRows ? RowPooler.WithFirst(sequences, positions) : asked;
        var states = Encoder.Forward(batch, CurrentDropoutKey, new PassOptions { Chosen = chosen }, out var encoded);
        RowPooler.Saved? pooled = null;
        if (readsRows) states = Pooler.Forward(states, chosen, sequences, out pooled);                                          // (M,H)
        MaskedLMHead.Saved? read = null;
        if (positions.Length > 0) head.Forward(states, asked.Lines, out read);
        else states.Dispose();
        return new MaskedLMOutput(this, new Saved(encoded, read, pooled), positions, targets);
    }

    /// <summary>The bias of each token's logit becomes the logarithm of how often the token stands in text, each counted once more than it does.</summary>
    /// <param name="counts">Of each token of the vocabulary, in the order of the ids; of those that are not given none.</param>
    /// <exception cref="ArgumentException">There are more of them than tokens.</exception>
    internal void StartFromCounts(ReadOnlySpan<long> counts)
    {
        var bias = head.Bias.Span;
        if (counts.Length > bias.Length) throw new ArgumentException($"there are {counts.Length} counts and {bias.Length} tokens", nameof(counts));
        var total = (double)bias.Length;
        foreach (var count in counts) total += count;
        for (var id = 0; id < bias.Length; id++) bias[id] = (float)Math.Log((1 + (id < counts.Length ? counts[id] : 0)) / total);
    }

    /// <summary>The embeddings of tokens become given vectors, as long as random ones would be.</summary>
    /// <param name="vectors">(N,H) of the first N ids: of length 1; where one is 0, the embedding stays.</param>
    internal void StartFromVectors(ReadOnlySpan<float> vectors)
    {
        var table = Encoder.WordEmbeddings.Span;
        var size = Config.HiddenSize;
        var length = (float)(Config.InitializerRange * Math.Sqrt(size));
        for (var first = 0; first < vectors.Length; first += size)
        {
            if (!vectors.Slice(first, size).ContainsAnyExcept(0f)) continue;
            for (var i = first; i < first + size; i++) table[i] = length * vectors[i];
        }
    }

    /// <summary>The first layers begin with <see cref="NeighbourAttention"/>.</summary>
    internal void StartWithNeighbours(ulong seed)
    {
        var neighbours = new NeighbourAttention(Config.HiddenSize, Config.NumAttentionHeads, seed);
        neighbours.FillPositions(Weights[EncoderPrefix + "embeddings.position_embeddings.weight"].Span, Config.InitializerRange);
        for (var layer = 0; layer < Math.Min(NeighbourAttention.Layers, Config.NumHiddenLayers); layer++)
        {
            var attention = $"{EncoderPrefix}encoder.layer.{layer}.attention.self.";
            neighbours.Turn(Weights[attention + "query.weight"].Span, Weights[attention + "key.weight"].Span);
        }
    }

    /// <summary>Adds the gradients of all weights.</summary>
    /// <param name="saved">Of the forward pass, its logits replaced by their gradient; disposed.</param>
    /// <param name="rowsGradient">(R,H); without meaning where nothing was said of rows.</param>
    internal void Backward(Saved saved, ReadOnlySpan<float> rowsGradient)
    {
        using var time = Profiler.Measure("backward");
        var states = saved.Read is { } read ? head.Backward(read) : LibTorch.Empty(0L, Config.HiddenSize);
        if (saved.Pooled is { } pooled) states = Pooler.Backward(pooled, rowsGradient, states);
        if (saved.Encoded!.IsReached)
        {
            Encoder.Backward(saved.Encoded, states);
            return;
        }
        saved.Encoded.Dispose();
        states.Dispose();
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        head.Dispose();
        pooler?.Dispose();
        base.Dispose();
    }

    /// <summary>One forward pass, as backward needs it.</summary>
    /// <param name="Encoded">Of the encoder; null without training.</param>
    /// <param name="Read">Of the head; null where no token was asked for.</param>
    /// <param name="Pooled">Of the pooler; null where no row was.</param>
    internal sealed record Saved(Encoder.Saved? Encoded, MaskedLMHead.Saved? Read, RowPooler.Saved? Pooled) : IDisposable
    {
        public void Dispose()
        {
            Encoded?.Dispose();
            Read?.Dispose();
            Pooled?.Dispose();
        }
    }
}
