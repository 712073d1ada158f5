using System.Text.Json.Nodes;

namespace Attune.Models;

/// <summary>The configuration of an ELECTRA encoder (its discriminator).</summary>
public sealed record ElectraConfig : PreTrainedConfig
{
    /// <summary>The family's defaults, which are those of its small model.</summary>
    public ElectraConfig() => (HiddenSize, NumAttentionHeads, IntermediateSize) = (256, 4, 1024);

    /// <inheritdoc/>
    public override string ModelType => "electra";

    internal const string Prefix = "electra.";

    internal override EncoderForm Form => new()
    {
        Prefix = Prefix,
        Embeddings = new() { Size = EmbeddingSize, Projection = EmbeddingSize == HiddenSize ? null : Prefix + "embeddings_project" },
        Head = new("classifier.dense", "gelu", "classifier.out_proj", DropsFirst: true),
    };

    /// <summary>Size of the embeddings; where it is not the hidden size, a linear layer brings them to that. Default 128.</summary>
    public int EmbeddingSize { get; init; } = 128;

    internal override PreTrainedConfig Read(ConfigReader json) =>
        (ElectraConfig)base.Read(json) with { EmbeddingSize = json.Size("embedding_size", EmbeddingSize) };

    private protected override void Write(JsonObject json)
    {
        base.Write(json);
        Put(json, "embedding_size", EmbeddingSize);
        json.TryAdd("position_embedding_type", "absolute");
        json.TryAdd("summary_activation", "gelu");
        json.TryAdd("summary_last_dropout", 0.1);
        json.TryAdd("summary_type", "first");
        json.TryAdd("summary_use_proj", true);
        json.TryAdd("use_cache", true);
    }
}
