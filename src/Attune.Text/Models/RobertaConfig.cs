using System.Text.Json.Nodes;

namespace Attune.Models;

/// <summary>The configuration of a RoBERTa encoder, or of one that computes as RoBERTa does: XLM-RoBERTa, CamemBERT.</summary>
public sealed record RobertaConfig : PreTrainedConfig
{
    private readonly string _modelType;

    /// <summary>The defaults of a family.</summary>
    /// <param name="modelType"><c>roberta</c>, <c>xlm-roberta</c> or <c>camembert</c>.</param>
    public RobertaConfig(string modelType = "roberta")
    {
        _modelType = modelType is "roberta" or "xlm-roberta" or "camembert" ? modelType
            : throw new ArgumentException($"RoBERTa's families are roberta, xlm-roberta and camembert, and not {modelType}.", nameof(modelType));
        (VocabSize, PadTokenId) = (modelType == "roberta" ? 50265 : 30522, 1);
    }

    /// <inheritdoc/>
    public override string ModelType => _modelType;

    internal const string Prefix = "roberta.";

    internal override EncoderForm Form => new()
    {
        Prefix = Prefix,
        Embeddings = new() { CountsFromPadding = true },
        Head = new("classifier.dense", "tanh", "classifier.out_proj", DropsFirst: true),
    };

    /// <summary>Longest row in tokens: positions begin behind the padding's id.</summary>
    public override int MaxTokens => MaxPositionEmbeddings - (PadTokenId ?? 0) - 1;

    internal override PreTrainedConfig Read(ConfigReader json)
    {
        var config = base.Read(json);
        json.RequirePositionsBehindPadding(config);
        return config;
    }

    private protected override void Write(JsonObject json)
    {
        base.Write(json);
        json.TryAdd("bos_token_id", 0);
        json.TryAdd("eos_token_id", 2);
        json.TryAdd("position_embedding_type", "absolute");
        json.TryAdd("use_cache", true);
    }
}
