using System.Text.Json.Nodes;

namespace Attune.Models;

/// <summary>The configuration of an MPNet encoder.</summary>
public sealed record MPNetConfig : PreTrainedConfig
{
    /// <summary>Buckets of relative positions that transformers counts with, whatever the configuration says.</summary>
    internal const int Buckets = 32;

    /// <summary>The family's defaults.</summary>
    public MPNetConfig() => (VocabSize, PadTokenId) = (30527, 1);

    /// <inheritdoc/>
    public override string ModelType => "mpnet";

    /// <summary>Buckets of relative positions, of which 32 are used. Default 32.</summary>
    public int RelativeAttentionNumBuckets { get; init; } = Buckets;

    /// <summary>Longest row in tokens: positions begin behind the padding's id.</summary>
    public override int MaxTokens => MaxPositionEmbeddings - (PadTokenId ?? 0) - 1;

    internal const string Prefix = "mpnet.";

    internal override EncoderForm Form => new()
    {
        Prefix = Prefix,
        Embeddings = new() { CountsFromPadding = true, HasTypes = false },
        Layer = new()
        {
            Query = "attention.attn.q",
            Key = "attention.attn.k",
            Value = "attention.attn.v",
            AttentionOutput = "attention.attn.o",
            AttentionNorm = "attention.LayerNorm",
        },
        RelativeBias = new("encoder.relative_attention_bias", RelativeAttentionNumBuckets),
        Head = new("classifier.dense", "tanh", "classifier.out_proj", DropsFirst: true),
    };

    internal override IReadOnlyList<string> AdapterTargets => ["q", "v"];

    private protected override string? JsonName(string field) => field is "type_vocab_size" or "classifier_dropout" ? null : field;

    internal override PreTrainedConfig Read(ConfigReader json)
    {
        var config = (MPNetConfig)base.Read(json) with { RelativeAttentionNumBuckets = json.Size("relative_attention_num_buckets", RelativeAttentionNumBuckets) };
        json.RequirePositionsBehindPadding(config);
        return config.RelativeAttentionNumBuckets >= Buckets ? config : throw json.Wrong("relative_attention_num_buckets", $"at least {Buckets}");
    }

    private protected override void Write(JsonObject json)
    {
        base.Write(json);
        Put(json, "relative_attention_num_buckets", RelativeAttentionNumBuckets);
        json.TryAdd("bos_token_id", 0);
        json.TryAdd("eos_token_id", 2);
    }
}
