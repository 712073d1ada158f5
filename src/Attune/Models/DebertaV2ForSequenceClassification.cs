using Attune.Kernels;

namespace Attune.Models;

/// <summary>
/// DeBERTa-v2 and v3 with a linear layer on the pooled output, as transformers' class of the same name: the attention takes a token's content and its relative
/// position apart, and a convolution may stand beside the first layer.
/// </summary>
public sealed class DebertaV2ForSequenceClassification : SequenceClassificationModel
{
    private static readonly BertLayerForm Form = new()
    {
        Query = "attention.self.query_proj",
        Key = "attention.self.key_proj",
        Value = "attention.self.value_proj",
    };

    internal DebertaV2ForSequenceClassification(DebertaV2Config config, LoraConfig? lora, bool isNewAdapter) : base(config, lora)
    {
        var embeddings = new EmbeddingsForm
        {
            Size = config.EmbeddingSize,
            Projection = config.EmbeddingSize is null || config.EmbeddingSize == config.HiddenSize ? null : EncoderPrefix + "embeddings.embed_proj",
            ProjectsFirst = true,
            HasPositions = config.PositionBiasedInput,
            HasTypes = config.TypeVocabSize > 0,
            ClearsHidden = true,
        };
        var positions = new DebertaV2Positions(Weights, EncoderPrefix + "encoder", config);
        List<(int Part, Action Declare)> later = [(0, positions.Declare)];
        var encoder = new Encoder(Weights, config, () => new BertEmbeddings(Weights, EncoderPrefix + "embeddings", config, embeddings), Layer, later: later, readsPadding: true);
        Build(encoder, new DenseHead(Weights, config, "pooler.dense", Activation.Named(config.PoolerHiddenAct), "classifier", dropsFirst: true, config.PoolerDropout), isNewAdapter);

        EncoderLayer Layer(int number)
        {
            var layer = new BertLayer(Weights, $"{EncoderPrefix}encoder.layer.{number}", config, Form,
                (name, query, key) => new DisentangledAttention(Weights, name, config, positions, query, key));
            if (number > 0 || config.ConvKernelSize == 0) return layer;
            var convolved = new ConvolvedLayer(Weights, EncoderPrefix + "encoder.conv", config, layer);
            later.Add((1, convolved.Declare));
            return convolved;
        }
    }

    /// <inheritdoc/>
    public override string Architecture => nameof(DebertaV2ForSequenceClassification);

    internal override string EncoderPrefix => "deberta.";
}
