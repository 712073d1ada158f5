using System.Text.Json.Nodes;

namespace Attune.Models;

/// <summary>The configuration of a DeBERTa encoder of the second or third version.</summary>
public sealed record DebertaV2Config : PreTrainedConfig
{
    private const string ContentToPosition = "c2p", PositionToContent = "p2c";

    /// <summary>The family's defaults, which are those of the second version's xlarge.</summary>
    public DebertaV2Config()
    {
        (VocabSize, HiddenSize, NumHiddenLayers, NumAttentionHeads, IntermediateSize) = (128100, 1536, 24, 24, 6144);
        (TypeVocabSize, LayerNormEps) = (0, 1e-7);
    }

    /// <inheritdoc/>
    public override string ModelType => "deberta-v2";

    /// <summary>Whether attention has terms of relative positions. Default false.</summary>
    public bool RelativeAttention { get; init; }

    /// <summary>Which: <c>c2p</c>, a token's content with the other's position, and <c>p2c</c>, the other way round. Default none.</summary>
    public IReadOnlyList<string> PosAttType { get; init; } = [];

    /// <summary>The largest distance, in tokens, that has an embedding. Default -1: <see cref="PreTrainedConfig.MaxPositionEmbeddings"/>.</summary>
    public int MaxRelativePositions { get; init; } = -1;

    /// <summary>Buckets of distances to each side, the far ones by their logarithm. Default -1: each distance has its own.</summary>
    public int PositionBuckets { get; init; } = -1;

    /// <summary>Whether positions are projected by the layer's own queries and keys. Default false: by projections of their own.</summary>
    public bool ShareAttKey { get; init; }

    /// <summary>What is done with the embeddings of relative positions: <c>none</c> or <c>layer_norm</c>. Default <c>none</c>.</summary>
    public string NormRelEbd { get; init; } = "none";

    /// <summary>Whether there are embeddings of absolute positions too. Default true.</summary>
    public bool PositionBiasedInput { get; init; } = true;

    /// <summary>Size of the embeddings; where it is not the hidden size, a linear layer brings them to that. Null for the hidden size.</summary>
    public int? EmbeddingSize { get; init; }

    /// <summary>Tokens that the convolution beside the first layer reads at a time, odd. Default 0: there is none.</summary>
    public int ConvKernelSize { get; init; }

    /// <summary>Activation of the convolution. Default <c>tanh</c>.</summary>
    public string ConvAct { get; init; } = "tanh";

    /// <summary>Dropout before the pooler. Default 0.</summary>
    public double PoolerDropout { get; init; }

    /// <summary>Activation of the pooler. Default <c>gelu</c>.</summary>
    public string PoolerHiddenAct { get; init; } = "gelu";

    internal const string Prefix = "deberta.";

    internal override string EncoderPrefix => Prefix;

    internal EmbeddingsForm Embeddings => new()
    {
        Size = EmbeddingSize,
        Projection = EmbeddingSize is null || EmbeddingSize == HiddenSize ? null : Prefix + "embeddings.embed_proj",
        ProjectsFirst = true,
        HasPositions = PositionBiasedInput,
        HasTypes = TypeVocabSize > 0,
        ClearsHidden = true,
    };

    internal static BertLayerForm Layer { get; } = new()
    {
        Query = "attention.self.query_proj",
        Key = "attention.self.key_proj",
        Value = "attention.self.value_proj",
    };

    internal DenseHeadForm Head => new("pooler.dense", PoolerHiddenAct, ClassifierName, DropsFirst: true, PoolerDropout);

    internal override IReadOnlyList<string> AdapterTargets => ["query_proj", "value_proj"];

    internal bool HasKeysOfPositions => PosAttType.Contains(ContentToPosition);

    internal bool HasQueriesOfPositions => PosAttType.Contains(PositionToContent);

    /// <summary>Terms of a score beside query times key, as its scale counts them.</summary>
    internal int ExtraTerms => (HasKeysOfPositions ? 1 : 0) + (HasQueriesOfPositions ? 1 : 0);

    internal int MostDistance => MaxRelativePositions < 1 ? MaxPositionEmbeddings : MaxRelativePositions;

    /// <summary>Rows of the table of relative positions.</summary>
    internal int RelativePositions => 2 * (PositionBuckets > 0 ? PositionBuckets : MostDistance);

    /// <summary>The embedding of a distance, ascending with it.</summary>
    internal int BucketOf(int distance) => RelativeBuckets.DebertaV2(distance, PositionBuckets, MostDistance);

    internal bool NormalisesPositions => NormRelEbd.Split('|').Any(part => part.Trim().Equals("layer_norm", StringComparison.OrdinalIgnoreCase));

    private protected override string? JsonName(string field) => field is "type_vocab_size" or "classifier_dropout" ? null : field;

    internal override PreTrainedConfig Read(ConfigReader json)
    {
        var config = (DebertaV2Config)base.Read(json);
        config = config with
        {
            TypeVocabSize = json.Whole("type_vocab_size", TypeVocabSize),
            ClassifierDropout = json.Number("cls_dropout", 0, 1),
            RelativeAttention = json.Truth("relative_attention"),
            PosAttType = json.Words("pos_att_type"),
            MaxRelativePositions = json.Whole("max_relative_positions", MaxRelativePositions),
            PositionBuckets = json.Whole("position_buckets", PositionBuckets),
            ShareAttKey = json.Truth("share_att_key"),
            NormRelEbd = json.Text("norm_rel_ebd", NormRelEbd),
            PositionBiasedInput = json.Truth("position_biased_input", PositionBiasedInput),
            EmbeddingSize = json.Has("embedding_size") ? json.Size("embedding_size", config.HiddenSize) : null,
            ConvKernelSize = json.Whole("conv_kernel_size", ConvKernelSize),
            ConvAct = json.Text("conv_act", ConvAct),
            PoolerDropout = json.Number("pooler_dropout", 0, 1) ?? PoolerDropout,
            PoolerHiddenAct = json.Text("pooler_hidden_act", PoolerHiddenAct),
        };
        if (config.PosAttType.Except([ContentToPosition, PositionToContent]).Any()) throw json.Wrong("pos_att_type", $"{ContentToPosition}, {PositionToContent} or both");
        if (config.ConvKernelSize < 0 || config.ConvKernelSize > 0 && config.ConvKernelSize % 2 == 0) throw json.Wrong("conv_kernel_size", "an odd number, or 0");
        if (json.Size("conv_groups", 1) != 1) throw json.Wrong("conv_groups", "1: Attune has convolutions of one group");
        if (json.Size("attention_head_size", config.HiddenSize / config.NumAttentionHeads) * config.NumAttentionHeads != config.HiddenSize)
            throw json.Wrong("attention_head_size", "hidden_size divided by num_attention_heads");
        if (json.Size("pooler_hidden_size", config.HiddenSize) != config.HiddenSize) throw json.Wrong("pooler_hidden_size", "the same as hidden_size");
        return config;
    }

    private protected override void Write(JsonObject json)
    {
        base.Write(json);
        Put(json, "type_vocab_size", TypeVocabSize);
        if (ClassifierDropout is { } dropout) Put(json, "cls_dropout", dropout);
        json["relative_attention"] = RelativeAttention;
        if (!new ConfigReader(json, FileName).Words("pos_att_type").SequenceEqual(PosAttType)) json["pos_att_type"] = new JsonArray([.. PosAttType]);
        json["position_biased_input"] = PositionBiasedInput;
        Put(json, "max_relative_positions", MaxRelativePositions);
        Put(json, "pooler_dropout", PoolerDropout);
        Put(json, "pooler_hidden_act", PoolerHiddenAct);
        Put(json, "pooler_hidden_size", HiddenSize);
        PutUnless(json, "position_buckets", PositionBuckets, -1);
        PutUnless(json, "share_att_key", ShareAttKey, false);
        PutUnless(json, "norm_rel_ebd", NormRelEbd, "none");
        if (EmbeddingSize is { } size) Put(json, "embedding_size", size);
        PutUnless(json, "conv_kernel_size", ConvKernelSize, 0);
        if (ConvKernelSize > 0) Put(json, "conv_act", ConvAct);
        json.TryAdd("pos_att_type", null);
        json.TryAdd("legacy", true);
    }

    /// <summary>Sets a field that transformers' class does not know by itself, and that files have where it differs from what is without it.</summary>
    private static void PutUnless(JsonObject json, string name, JsonNode value, JsonNode otherwise)
    {
        if (json.ContainsKey(name) || !JsonNode.DeepEquals(value, otherwise)) Put(json, name, value);
    }
}
