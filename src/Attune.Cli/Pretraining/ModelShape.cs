using System.Globalization;
using System.Text.Json.Nodes;
using Attune.Formats;
using Attune.Models;
using Attune.Tokenization;

namespace Attune.Cli.Pretraining;

/// <summary>The configuration of the model that is pretrained: a size by name, a file, or an object, with changes by name.</summary>
internal static class ModelShape
{
    private const string Usual = "mini", Positions = "max_position_embeddings";

    // Turc, Chang, Lee, Toutanova: "Well-Read Students Learn Better", 2019; the intermediate layer is four times as wide as the others.
    private static readonly Dictionary<string, (int Layers, int Hidden, int Heads)> Sizes = new()
    {
        ["tiny"] = (2, 128, 2),
        ["mini"] = (4, 256, 4),
        ["small"] = (4, 512, 8),
        ["medium"] = (8, 512, 8),
        ["base"] = (12, 768, 12),
    };

    /// <summary>Longest row that the model will have positions for.</summary>
    /// <exception cref="AttuneException">The shape is none.</exception>
    internal static int PositionsOf(PretrainArguments arguments) => Config(arguments, new JsonObject()).MaxPositionEmbeddings;

    /// <summary>The configuration of a new model.</summary>
    /// <param name="arguments">Name it.</param>
    /// <param name="tokenizer">Whose tokens it has embeddings for.</param>
    /// <exception cref="AttuneException">The shape is none, or has too few embeddings for the tokenizer.</exception>
    internal static PreTrainedConfig New(PretrainArguments arguments, Tokenizer tokenizer)
    {
        var config = Config(arguments, new JsonObject { ["vocab_size"] = tokenizer.VocabularySize, ["pad_token_id"] = tokenizer.PadId });
        if (config.VocabSize < tokenizer.VocabularySize)
            throw new AttuneException($"vocab_size is {config.VocabSize} in the model's shape, but the tokenizer has {tokenizer.VocabularySize} tokens; leave it out there.");
        return config;
    }

    /// <summary>The configuration of a model that learns on, with the changes asked for.</summary>
    /// <exception cref="AttuneException">They are none.</exception>
    internal static PreTrainedConfig Changed(PreTrainedConfig config, PretrainArguments arguments)
    {
        if (arguments.ConfigOverrides is null) return Fitting(config, arguments.Objective, "model");
        var json = config.ToJson(config is ElectraConfig ? nameof(ElectraForPreTraining) : nameof(BertForMaskedLM));
        Override(json, arguments.ConfigOverrides);
        return Read(json, arguments.Objective, "config_overrides");
    }

    private static PreTrainedConfig Config(PretrainArguments arguments, JsonObject given)
    {
        var shape = arguments.ModelConfig ?? Usual;
        var json = Sizes.TryGetValue(shape, out var size) ? Sized(size) : shape.TrimStart().StartsWith('{') ? Parsed(shape) : FromFile(shape);
        if (arguments.ConfigOverrides is { } changes) Override(json, changes);
        foreach (var (name, value) in given) json.TryAdd(name, value?.DeepClone());
        // Positions that no row reaches would stay random.
        json.TryAdd(Positions, arguments.MaxLength);
        if (arguments.Objective == PretrainObjective.ReplacedTokens)
        {
            json.TryAdd("model_type", "electra");
            if (size != default && json["hidden_size"] is { } hidden) json.TryAdd("embedding_size", hidden.DeepClone());
        }
        return Read(json, arguments.Objective, "model_config");
    }

    private static PreTrainedConfig Read(JsonObject json, PretrainObjective objective, string argument) =>
        Fitting(PreTrainedConfig.Of((JsonObject)JsonNode.Parse(json.ToJsonString())!, argument), objective, argument);

    private static PreTrainedConfig Fitting(PreTrainedConfig config, PretrainObjective objective, string argument) => (config, objective) switch
    {
        (BertConfig, PretrainObjective.MaskedLm) or (ElectraConfig, PretrainObjective.ReplacedTokens) => config,
        (_, PretrainObjective.ReplacedTokens) => throw new AttuneException($"{argument} is of type {config.ModelType}; replaced tokens (--objective replaced_tokens) are found by electra."),
        _ => throw new AttuneException($"{argument} is of type {config.ModelType}; attune pretrain has bert, and electra by --objective replaced_tokens."),
    };

    private static JsonObject Sized((int Layers, int Hidden, int Heads) size) => new()
    {
        ["num_hidden_layers"] = size.Layers,
        ["hidden_size"] = size.Hidden,
        ["num_attention_heads"] = size.Heads,
        ["intermediate_size"] = 4 * size.Hidden,
    };

    private static JsonObject Parsed(string text)
    {
        try
        {
            if (JsonNode.Parse(text) is JsonObject json) return json;
        }
        catch (System.Text.Json.JsonException)
        {
            // Said below.
        }
        throw new AttuneException("model_config is no JSON object; give {\"hidden_size\": 256, ...} or a name.");
    }

    private static JsonObject FromFile(string file)
    {
        var path = Directory.Exists(file) ? Path.Combine(file, PreTrainedConfig.FileName) : file;
        if (!File.Exists(path)) throw new AttuneException($"model_config is {file}; it must be {string.Join(", ", Sizes.Keys)}, a config.json or a JSON object.");
        var json = PythonJson.ReadFile(path) as JsonObject ?? throw new AttuneException($"{path} is not a JSON object; name the config.json of a model.");
        // The shape alone is taken: its embeddings and names are another model's.
        foreach (var name in (string[])["vocab_size", "pad_token_id", "architectures", "id2label", "label2id", "problem_type", "_name_or_path"]) json.Remove(name);
        return json;
    }

    private static void Override(JsonObject json, string changes)
    {
        foreach (var change in changes.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (change.Split('=', 2, StringSplitOptions.TrimEntries) is not [{ Length: > 0 } name, { Length: > 0 } value])
                throw new AttuneException($"config_overrides has \"{change}\"; write name=value, several separated by commas.");
            json[name] = value switch
            {
                "true" => true,
                "false" => false,
                _ when long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) => whole,
                _ when double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) => real,
                _ => value,
            };
        }
    }
}
