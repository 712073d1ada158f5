using Attune.Kernels;

namespace Attune.Models;

/// <summary>
/// ALBERT with a linear layer on the pooled output, as transformers' class of the same name. Its layers share their weights, all or in groups: the
/// gradients of the layers of a group add up.
/// </summary>
public sealed class AlbertForSequenceClassification : SequenceClassificationModel
{
    private static readonly BertLayerForm Layer = new()
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
    };

    internal AlbertForSequenceClassification(AlbertConfig config, LoraConfig? lora, bool isNewAdapter) : base(config, lora)
    {
        var embeddings = new EmbeddingsForm { Size = config.EmbeddingSize, Projection = EncoderPrefix + "encoder.embedding_hidden_mapping_in" };
        var groups = new BertLayer?[config.NumHiddenGroups];
        var encoder = new Encoder(Weights, config, () => new BertEmbeddings(Weights, EncoderPrefix + "embeddings", config, embeddings),
            i => groups[config.GroupOf(i)] ??= new BertLayer(Weights, $"{EncoderPrefix}encoder.albert_layer_groups.{config.GroupOf(i)}.albert_layers.0", config, Layer));
        Build(encoder, new DenseHead(Weights, config, EncoderPrefix + "pooler", Activation.Tanh, "classifier"), isNewAdapter);
    }

    /// <inheritdoc/>
    public override string Architecture => nameof(AlbertForSequenceClassification);

    internal override string EncoderPrefix => "albert.";
}
