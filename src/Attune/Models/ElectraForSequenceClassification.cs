namespace Attune.Models;

/// <summary>ELECTRA with a dense layer and a linear one on each row's first token, as transformers' class of the same name.</summary>
public sealed class ElectraForSequenceClassification : SequenceClassificationModel
{
    internal ElectraForSequenceClassification(ElectraConfig config, LoraConfig? lora, bool isNewAdapter) : base(config, lora) => Build(config.Form, isNewAdapter);

    /// <inheritdoc/>
    public override string Architecture => nameof(ElectraForSequenceClassification);

    internal override string EncoderPrefix => ElectraConfig.Prefix;
}
