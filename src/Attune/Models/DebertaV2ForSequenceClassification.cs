namespace Attune.Models;

/// <summary>
/// DeBERTa-v2 and v3 with a linear layer on the pooled output, as transformers' class of the same name: the attention takes a token's content and its relative
/// position apart, and a convolution may stand beside the first layer.
/// </summary>
public sealed class DebertaV2ForSequenceClassification : SequenceClassificationModel
{
    internal DebertaV2ForSequenceClassification(DebertaV2Config config, LoraConfig? lora, bool isNewAdapter) : base(config, lora)
    {
        var positions = new DebertaV2Positions(Weights, EncoderPrefix + "encoder", config);
        List<(int Part, Action Declare)> later = [(0, positions.Declare)];
        var encoder = new Encoder(Weights, config, () => new BertEmbeddings(Weights, EncoderPrefix + "embeddings", config, config.Embeddings), Layer, later: later, readsPadding: true);
        Build(encoder, new DenseHead(Weights, config, config.Head), isNewAdapter);

        EncoderLayer Layer(int number)
        {
            var layer = new BertLayer(Weights, $"{EncoderPrefix}encoder.layer.{number}", config, DebertaV2Config.Layer,
                (name, query, key) => new DisentangledAttention(Weights, name, config, positions, query, key));
            if (number > 0 || config.ConvKernelSize == 0) return layer;
            var convolved = new ConvolvedLayer(Weights, EncoderPrefix + "encoder.conv", config, layer);
            later.Add((1, convolved.Declare));
            return convolved;
        }
    }

    /// <inheritdoc/>
    public override string Architecture => nameof(DebertaV2ForSequenceClassification);

    internal override string EncoderPrefix => DebertaV2Config.Prefix;

    private protected override DeviceClassifier NewOnDevice()
    {
        var config = (DebertaV2Config)Config;
        var encoder = new DeviceEncoder(Weights, config, Encoder, parts => number =>
        {
            var name = $"{EncoderPrefix}encoder.layer.{number}";
            var layer = new DeviceBertLayer(parts, name, config, DebertaV2Config.Layer, DeviceDisentangledAttention.ViewOf(parts, name, EncoderPrefix + "encoder", config));
            return number > 0 || config.ConvKernelSize == 0 ? layer : new DeviceConvolvedLayer(parts, EncoderPrefix + "encoder.conv", config, layer);
        });
        return new(encoder, new DeviceDenseHead(encoder.Parts, config, config.Head));
    }
}
