namespace Attune.Models;

/// <summary>BERT with a linear layer on the pooled output, as transformers' class of the same name.</summary>
public sealed class BertForSequenceClassification : SequenceClassificationModel
{
    internal BertForSequenceClassification(BertConfig config, LoraConfig? lora, bool isNewAdapter) : base(config, lora) => Build(config.Form, isNewAdapter);

    /// <inheritdoc/>
    public override string Architecture => nameof(BertForSequenceClassification);

    internal override string EncoderPrefix => BertConfig.Prefix;

    /// <inheritdoc cref="AutoModelForSequenceClassification.FromConfig"/>
    public static BertForSequenceClassification FromConfig(BertConfig config, ulong seed = 42, LoraConfig? lora = null) =>
        (BertForSequenceClassification)AutoModelForSequenceClassification.FromConfig(config, seed, lora);

    /// <inheritdoc cref="AutoModelForSequenceClassification.FromPretrained"/>
    public static BertForSequenceClassification FromPretrained(
        string folder, IReadOnlyList<string>? labelNames = null, ProblemType? problemType = null,
        Func<PreTrainedConfig, PreTrainedConfig>? configure = null, ulong seed = 42, LoraConfig? lora = null, string? baseFolder = null)
    {
        var model = AutoModelForSequenceClassification.FromPretrained(folder, labelNames, problemType, configure, seed, lora, baseFolder);
        if (model is BertForSequenceClassification bert) return bert;
        using (model) throw new AttuneException($"{folder} holds a model of type {model.Config.ModelType}; load it by {nameof(AutoModelForSequenceClassification)}.");
    }
}
