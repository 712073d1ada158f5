namespace Attune.Models;

/// <summary>
/// RoBERTa with a dense layer and a linear one on each row's first token, as transformers' class of the same name; also XLM-RoBERTa and CamemBERT. It has no
/// segments to speak of, and its positions count on from the padding's id.
/// </summary>
public sealed class RobertaForSequenceClassification : SequenceClassificationModel
{
    internal RobertaForSequenceClassification(RobertaConfig config, LoraConfig? lora, bool isNewAdapter) : base(config, lora) => Build(config.Form, isNewAdapter);

    /// <inheritdoc/>
    public override string Architecture => Config.ModelType switch
    {
        "xlm-roberta" => "XLMRobertaForSequenceClassification",
        "camembert" => "CamembertForSequenceClassification",
        _ => nameof(RobertaForSequenceClassification),
    };

    internal override string EncoderPrefix => RobertaConfig.Prefix;
}
