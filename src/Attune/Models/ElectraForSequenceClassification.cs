using Attune.Kernels;

namespace Attune.Models;

/// <summary>ELECTRA with a dense layer and a linear one on each row's first token, as transformers' class of the same name.</summary>
public sealed class ElectraForSequenceClassification : SequenceClassificationModel
{
    internal ElectraForSequenceClassification(ElectraConfig config, LoraConfig? lora, bool isNewAdapter) : base(config, lora)
    {
        var embeddings = new EmbeddingsForm
        {
            Size = config.EmbeddingSize,
            Projection = config.EmbeddingSize == config.HiddenSize ? null : EncoderPrefix + "embeddings_project",
        };
        var encoder = new Encoder(Weights, config, () => new BertEmbeddings(Weights, EncoderPrefix + "embeddings", config, embeddings),
            i => new BertLayer(Weights, $"{EncoderPrefix}encoder.layer.{i}", config, BertLayerForm.Bert));
        Build(encoder, new DenseHead(Weights, config, "classifier.dense", Activation.Named("gelu"), "classifier.out_proj", dropsFirst: true), isNewAdapter);
    }

    /// <inheritdoc/>
    public override string Architecture => nameof(ElectraForSequenceClassification);

    internal override string EncoderPrefix => "electra.";
}
