using Attune.Kernels;

namespace Attune.Models;

/// <summary>
/// MPNet with a dense layer and a linear one on each row's first token, as transformers' class of the same name. Beside positions as RoBERTa's it has relative ones,
/// which all layers share.
/// </summary>
public sealed class MPNetForSequenceClassification : SequenceClassificationModel
{
    private static readonly EmbeddingsForm Embeddings = new() { CountsFromPadding = true, HasTypes = false };

    private static readonly BertLayerForm Layer = new()
    {
        Query = "attention.attn.q",
        Key = "attention.attn.k",
        Value = "attention.attn.v",
        AttentionOutput = "attention.attn.o",
        AttentionNorm = "attention.LayerNorm",
    };

    internal MPNetForSequenceClassification(MPNetConfig config, LoraConfig? lora, bool isNewAdapter) : base(config, lora)
    {
        var bias = new MPNetBias(Weights, EncoderPrefix + "encoder.relative_attention_bias", config.RelativeAttentionNumBuckets, config.NumAttentionHeads);
        var encoder = new Encoder(Weights, config, () => new BertEmbeddings(Weights, EncoderPrefix + "embeddings", config, Embeddings),
            i => new BertLayer(Weights, $"{EncoderPrefix}encoder.layer.{i}", config, Layer, (_, _, _) => bias), later: [(0, bias.Declare)]);
        Build(encoder, new DenseHead(Weights, config, "classifier.dense", Activation.Tanh, "classifier.out_proj", dropsFirst: true), isNewAdapter);
    }

    /// <inheritdoc/>
    public override string Architecture => nameof(MPNetForSequenceClassification);

    internal override string EncoderPrefix => "mpnet.";
}
