namespace Attune.Models;

/// <summary>
/// MPNet with a dense layer and a linear one on each row's first token, as transformers' class of the same name. Beside positions as RoBERTa's it has relative ones,
/// which all layers share.
/// </summary>
public sealed class MPNetForSequenceClassification : SequenceClassificationModel
{
    internal MPNetForSequenceClassification(MPNetConfig config, LoraConfig? lora, bool isNewAdapter) : base(config, lora) => Build(config.Form, isNewAdapter);

    /// <inheritdoc/>
    public override string Architecture => nameof(MPNetForSequenceClassification);

    internal override string EncoderPrefix => MPNetConfig.Prefix;
}
