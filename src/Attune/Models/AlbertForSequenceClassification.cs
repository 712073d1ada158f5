namespace Attune.Models;

/// <summary>
/// ALBERT with a linear layer on the pooled output, as transformers' class of the same name. Its layers share their weights, all or in groups: the
/// gradients of the layers of a group add up.
/// </summary>
public sealed class AlbertForSequenceClassification : SequenceClassificationModel
{
    internal AlbertForSequenceClassification(AlbertConfig config, LoraConfig? lora, bool isNewAdapter) : base(config, lora) => Build(config.Form, isNewAdapter);

    /// <inheritdoc/>
    public override string Architecture => nameof(AlbertForSequenceClassification);

    internal override string EncoderPrefix => AlbertConfig.Prefix;
}
