using Attune.Kernels;

namespace Attune.Models;

/// <summary>DistilBERT with a dense layer and a linear one on each row's first token, as transformers' class of the same name. It has no segments.</summary>
public sealed class DistilBertForSequenceClassification : SequenceClassificationModel
{
    private static readonly EmbeddingsForm Embeddings = new() { HasTypes = false };

    private static readonly BertLayerForm Layer = new()
    {
        Query = "attention.q_lin",
        Key = "attention.k_lin",
        Value = "attention.v_lin",
        AttentionOutput = "attention.out_lin",
        AttentionNorm = "sa_layer_norm",
        Intermediate = "ffn.lin1",
        Output = "ffn.lin2",
        OutputNorm = "output_layer_norm",
        DropsAttentionOutput = false,
    };

    internal DistilBertForSequenceClassification(DistilBertConfig config, LoraConfig? lora, bool isNewAdapter) : base(config, lora)
    {
        var encoder = new Encoder(Weights, config, () => new BertEmbeddings(Weights, EncoderPrefix + "embeddings", config, Embeddings),
            i => new BertLayer(Weights, $"{EncoderPrefix}transformer.layer.{i}", config, Layer));
        Build(encoder, new DenseHead(Weights, config, "pre_classifier", Activation.Named("relu"), "classifier"), isNewAdapter);
    }

    /// <inheritdoc/>
    public override string Architecture => nameof(DistilBertForSequenceClassification);

    internal override string EncoderPrefix => "distilbert.";
}
