namespace Attune.Models;

/// <summary>Makes the classifier of the family that a configuration names, as transformers' class of the same name.</summary>
public static class AutoModelForSequenceClassification
{
    /// <summary>A model with new weights.</summary>
    /// <param name="config">Its configuration.</param>
    /// <param name="seed">Of the weights. Default 42.</param>
    /// <param name="lora">An adapter, of which alone is trained; null for none.</param>
    /// <exception cref="AttuneException">The adapter names layers that there are not.</exception>
    public static SequenceClassificationModel FromConfig(PreTrainedConfig config, ulong seed = 42, LoraConfig? lora = null)
    {
        var model = Create(config, lora, isNewAdapter: true);
        model.Initialize(seed);
        return model;
    }

    /// <summary>
    /// The model of a folder in Hugging Face's layout: config.json, and model.safetensors (sharded or not) or pytorch_model.bin. Or the adapter of a
    /// folder as PEFT writes it, adapter_config.json and adapter_model.safetensors, on the model that it belongs to.
    /// </summary>
    /// <param name="folder">The folder. Without weights the model starts from random ones; <see cref="PreTrainedModel.LoadReport"/> says so.</param>
    /// <param name="labelNames">Names of the classes; null takes the folder's. With another number of them the classifier starts anew.</param>
    /// <param name="problemType">What is learned; null takes the folder's.</param>
    /// <param name="configure">Other changes to the folder's configuration, dropout for example.</param>
    /// <param name="seed">Of the weights that the folder does not have. Default 42.</param>
    /// <param name="lora">A new adapter to the folder's model, of which alone is trained; null for none.</param>
    /// <param name="baseFolder">Of an adapter's folder: that of the model it belongs to. Null takes what the adapter names.</param>
    /// <exception cref="AttuneException">A file is missing, damaged, or of another architecture; or the adapter names layers that there are not.</exception>
    public static SequenceClassificationModel FromPretrained(
        string folder, IReadOnlyList<string>? labelNames = null, ProblemType? problemType = null,
        Func<PreTrainedConfig, PreTrainedConfig>? configure = null, ulong seed = 42, LoraConfig? lora = null, string? baseFolder = null)
    {
        var adapter = AdapterFolder.Is(folder) ? AdapterFolder.Open(folder, baseFolder) : null;
        if (adapter is not null && lora is not null)
            throw new AttuneException($"{folder} is an adapter already; begin a new one with the model that it belongs to ({adapter.Base}), or with the merged model.");
        var config = adapter is null ? PreTrainedConfig.Load(Path.Combine(folder, PreTrainedConfig.FileName)) : adapter.Config();
        config = config with { LabelNames = labelNames ?? config.LabelNames, ProblemType = problemType ?? config.ProblemType };
        var model = Create(configure?.Invoke(config) ?? config, adapter?.Lora ?? lora, isNewAdapter: lora is not null);
        model.LoadWeights(adapter?.Base ?? folder, seed, adapter?.Path);
        return model;
    }

    /// <summary>The model of a configuration, its weights without values: one line for each family.</summary>
    /// <param name="config">Its configuration.</param>
    /// <param name="lora">Its adapter; null for none.</param>
    /// <param name="isNewAdapter">Whether the adapter is asked for by hand and not read from files.</param>
    internal static SequenceClassificationModel Create(PreTrainedConfig config, LoraConfig? lora = null, bool isNewAdapter = false) => config switch
    {
        AlbertConfig albert => new AlbertForSequenceClassification(albert, lora, isNewAdapter),
        BertConfig bert => new BertForSequenceClassification(bert, lora, isNewAdapter),
        DebertaV2Config deberta => new DebertaV2ForSequenceClassification(deberta, lora, isNewAdapter),
        DistilBertConfig distil => new DistilBertForSequenceClassification(distil, lora, isNewAdapter),
        ElectraConfig electra => new ElectraForSequenceClassification(electra, lora, isNewAdapter),
        ModernBertConfig modern => new ModernBertForSequenceClassification(modern, lora, isNewAdapter),
        MPNetConfig mpnet => new MPNetForSequenceClassification(mpnet, lora, isNewAdapter),
        RobertaConfig roberta => new RobertaForSequenceClassification(roberta, lora, isNewAdapter),
        _ => throw new ArgumentException($"There is no classifier of the family {config.ModelType}.", nameof(config)),
    };
}
