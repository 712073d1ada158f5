using System.Text.Json.Nodes;

namespace Attune.Models;

/// <summary>The configuration of a BERT encoder.</summary>
public sealed record BertConfig : PreTrainedConfig
{
    /// <inheritdoc/>
    public override string ModelType => "bert";

    internal const string Prefix = "bert.";

    internal override EncoderForm Form => new() { Prefix = Prefix, Head = new(Prefix + "pooler.dense", "tanh", "classifier") };

    /// <summary>Reads a <c>config.json</c> of BERT.</summary>
    /// <param name="file">The file, for messages too.</param>
    /// <exception cref="AttuneException">It is missing or unreadable, is not JSON, names another family, or a value makes no sense.</exception>
    public static new BertConfig Load(string file)
    {
        var config = PreTrainedConfig.Load(file);
        return config as BertConfig ?? throw new AttuneException($"{file} describes a model of type {config.ModelType}, and not bert; name a folder of BERT's.");
    }

    private protected override void Write(JsonObject json)
    {
        base.Write(json);
        json.TryAdd("position_embedding_type", "absolute");
        json.TryAdd("use_cache", true);
    }
}
