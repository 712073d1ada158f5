using Attune.Kernels;

namespace Attune.Models;

/// <summary>
/// ModernBERT with a dense layer and a linear one on each row's first token or on the mean of all, as transformers' class of the same name. Positions are rotary,
/// with one base for layers that see the whole row and another for those that see a window.
/// </summary>
public sealed class ModernBertForSequenceClassification : SequenceClassificationModel
{
    internal ModernBertForSequenceClassification(ModernBertConfig config, LoraConfig? lora, bool isNewAdapter) : base(config, lora)
    {
        Dictionary<double, RotaryEmbedding> rotary = [];
        for (var i = 0; i < config.NumHiddenLayers; i++) rotary.TryAdd(config.ThetaOf(i), new(config.HiddenSize / config.NumAttentionHeads, config.ThetaOf(i)));
        LayerNorm? last = null;
        var encoder = new Encoder(Weights, config, () => new BertEmbeddings(Weights, EncoderPrefix + "embeddings", config, config.Embeddings),
            i => new ModernBertLayer(Weights, $"{EncoderPrefix}layers.{i}", config, i, rotary[config.ThetaOf(i)]), readsAllTokens: config.ReadsMean,
            later: [(config.NumHiddenLayers, () => last = new LayerNorm(Weights, EncoderPrefix + "final_norm", config.HiddenSize, config.NormBias))], readsPadding: true);
        Build(encoder, new ModernBertHead(Weights, config, last!), isNewAdapter);
    }

    /// <inheritdoc/>
    public override string Architecture => nameof(ModernBertForSequenceClassification);

    internal override string EncoderPrefix => ModernBertConfig.Prefix;

    private protected override DeviceClassifier NewOnDevice()
    {
        var config = (ModernBertConfig)Config;
        var encoder = new DeviceEncoder(Weights, config, Encoder, parts => number => new DeviceModernBertLayer(parts, $"{EncoderPrefix}layers.{number}", config, number));
        return new(encoder, new DeviceModernBertHead(encoder.Parts, config));
    }
}
