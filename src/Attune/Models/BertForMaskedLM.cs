using Attune.Batching;
using static TorchSharp.torch;

namespace Attune.Models;

/// <summary>BERT with a head that finds hidden tokens, as transformers' class of the same name. The head's decoder is the table of the word embeddings.</summary>
/// <remarks>
/// A pooler, which the class of transformers does without, is kept where a folder has one, and is learned where rows are compared: a classifier begins with it.
/// </remarks>
public sealed class BertForMaskedLM : PreTrainedModel
{
    private const string Pooling = "pooler.dense", Projection = "cls.contrast.dense";

    private readonly MaskedLMHead head;
    private readonly TokenPredictor predictor;
    private readonly (string Pooler, string? Projection)? pooling;
    private readonly BertConfig learning;                                  // with the dropout of the run

    private BertForMaskedLM(BertConfig config, double? dropout, bool hasPooler, bool comparesRows) : base(config)
    {
        learning = dropout is { } share ? config with { HiddenDropoutProb = share, AttentionProbsDropoutProb = share } : config;
        Encoder = Encoder.Of(Weights, learning, learning.Form, EncoderPrefix, readsAllTokens: true);
        if (hasPooler || comparesRows) pooling = (EncoderPrefix + Pooling, comparesRows ? Projection : null);
        var pooler = pooling is { } names ? new RowPooler(Weights, names.Pooler, names.Projection, config.HiddenSize) : null;
        head = new(Weights, MaskedLMHeadForm.Bert(config), Encoder.WordEmbeddings, config.HiddenSize, config.LayerNormEps);
        predictor = new(Encoder, head, pooler, config, Weights);
        Weights.LayOut();
    }

    /// <inheritdoc/>
    public override string Architecture => nameof(BertForMaskedLM);

    internal override string EncoderPrefix => BertConfig.Prefix;

    /// <summary>Whether rows can be compared.</summary>
    internal bool ComparesRows => Weights.TryGet(Projection + ".weight", out _);

    /// <summary>The pooler's weights; empty where it has none.</summary>
    internal IEnumerable<Weight> PoolerWeights => Weights.All.Where(weight => weight.Name.StartsWith(EncoderPrefix + Pooling, StringComparison.Ordinal));

    /// <summary>The bias of the logits.</summary>
    internal Weight LogitBias => head.Bias;

    internal override void ComputeOn(Device device)
    {
        Weights.MoveTo(device);
        var encoder = new DeviceEncoder(Weights, learning, learning.Form, EncoderPrefix, Encoder);
        predictor.OnDevice = new(encoder, MaskedLMHeadForm.Bert(learning), Encoder.WordEmbeddings.Name, Config.LayerNormEps, pooling);
    }

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
    internal MaskedLMOutput Forward(Batch batch, int[] positions, int[]? targets, bool readsRows = false) =>
        predictor.Forward(batch, CurrentDropoutKey, positions, targets, readsRows);

    /// <inheritdoc/>
    public override void Dispose()
    {
        predictor.Dispose();
        base.Dispose();
    }
}
