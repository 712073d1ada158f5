namespace Attune.Models;

/// <summary>DistilBERT with a dense layer and a linear one on each row's first token, as transformers' class of the same name. It has no segments.</summary>
public sealed class DistilBertForSequenceClassification : SequenceClassificationModel
{
    internal DistilBertForSequenceClassification(DistilBertConfig config, LoraConfig? lora, bool isNewAdapter) : base(config, lora) => Build(config.Form, isNewAdapter);

    /// <inheritdoc/>
    public override string Architecture => nameof(DistilBertForSequenceClassification);

    internal override string EncoderPrefix => DistilBertConfig.Prefix;
}
