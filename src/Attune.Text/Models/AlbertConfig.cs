using System.Text.Json.Nodes;

namespace Attune.Models;

/// <summary>The configuration of an ALBERT encoder.</summary>
public sealed record AlbertConfig : PreTrainedConfig
{
    /// <summary>The family's defaults, which are those of its largest model.</summary>
    public AlbertConfig()
    {
        (VocabSize, HiddenSize, NumAttentionHeads, IntermediateSize, HiddenAct) = (30000, 4096, 64, 16384, "gelu_new");
        (HiddenDropoutProb, AttentionProbsDropoutProb, ClassifierDropout) = (0, 0, 0.1);
    }

    /// <inheritdoc/>
    public override string ModelType => "albert";

    /// <summary>Size of the embeddings, from which a linear layer leads to the hidden size. Default 128.</summary>
    public int EmbeddingSize { get; init; } = 128;

    /// <summary>Number of groups of layers next to each other that share their weights; at most the number of layers. Default 1: all share one set.</summary>
    public int NumHiddenGroups { get; init; } = 1;

    internal const string Prefix = "albert.";

    internal override EncoderForm Form => new()
    {
        Prefix = Prefix,
        Embeddings = new() { Size = EmbeddingSize, Projection = Prefix + "encoder.embedding_hidden_mapping_in" },
        LayerName = layer => $"encoder.albert_layer_groups.{GroupOf(layer)}.albert_layers.0",
        Layer = new()
        {
            Query = "attention.query",
            Key = "attention.key",
            Value = "attention.value",
            AttentionOutput = "attention.dense",
            AttentionNorm = "attention.LayerNorm",
            Intermediate = "ffn",
            Output = "ffn_output",
            OutputNorm = "full_layer_layer_norm",
            OutputNormIsFirst = true,
            DropsOutput = false,
        },
        Head = new(Prefix + "pooler", "tanh", "classifier"),
    };

    /// <summary>The group of a layer, as transformers counts it.</summary>
    internal int GroupOf(int layer) => (int)(layer / ((double)NumHiddenLayers / NumHiddenGroups));

    private protected override string? JsonName(string field) => field == "classifier_dropout" ? "classifier_dropout_prob" : field;

    internal override PreTrainedConfig Read(ConfigReader json)
    {
        if (json.Size("inner_group_num", 1) != 1) throw json.Wrong("inner_group_num", "1: Attune has groups of one layer");
        var config = (AlbertConfig)base.Read(json) with
        {
            EmbeddingSize = json.Size("embedding_size", EmbeddingSize),
            NumHiddenGroups = json.Size("num_hidden_groups", NumHiddenGroups),
        };
        return config.NumHiddenGroups <= config.NumHiddenLayers ? config
            : throw json.Unfit($"num_hidden_groups {config.NumHiddenGroups} is more than num_hidden_layers {config.NumHiddenLayers}");
    }

    private protected override void Write(JsonObject json)
    {
        base.Write(json);
        Put(json, "embedding_size", EmbeddingSize);
        Put(json, "num_hidden_groups", NumHiddenGroups);
        json.TryAdd("bos_token_id", 2);
        json.TryAdd("eos_token_id", 3);
        json.TryAdd("inner_group_num", 1);
        json.TryAdd("position_embedding_type", "absolute");
    }
}
