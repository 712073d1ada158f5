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
        var headSize = config.HiddenSize / config.NumAttentionHeads;
        RotaryEmbedding everywhere = new(headSize, config.GlobalRopeTheta), nearby = new(headSize, config.LocalRopeTheta ?? config.GlobalRopeTheta);
        LayerNorm? last = null;
        var encoder = new Encoder(Weights, config, () => new BertEmbeddings(Weights, EncoderPrefix + "embeddings", config, config.Embeddings),
            i => new ModernBertLayer(Weights, $"{EncoderPrefix}layers.{i}", config, i, config.IsGlobal(i) ? everywhere : nearby), readsAllTokens: config.ReadsMean,
            later: [(config.NumHiddenLayers, () => last = new LayerNorm(Weights, EncoderPrefix + "final_norm", config.HiddenSize, config.NormBias))], readsPadding: true);
        Build(encoder, new ModernBertHead(Weights, config, last!), isNewAdapter);
    }

    /// <inheritdoc/>
    public override string Architecture => nameof(ModernBertForSequenceClassification);

    internal override string EncoderPrefix => ModernBertConfig.Prefix;
}
