using System.Text.Json.Nodes;
using Attune.Formats;

namespace Attune.Models;

/// <summary>Reads the fields of a config.json, each checked, so that a wrong value is named and not met as a crash later. A field without a name is not there.</summary>
internal sealed class ConfigReader(JsonObject json, string file)
{
    private static readonly Dictionary<string, ProblemType> ProblemTypes = new()
    {
        ["single_label_classification"] = ProblemType.SingleLabelClassification,
        ["multi_label_classification"] = ProblemType.MultiLabelClassification,
        ["regression"] = ProblemType.Regression,
    };

    internal static string Name(ProblemType problem) => ProblemTypes.First(pair => pair.Value == problem).Key;

    /// <summary>The file, for messages.</summary>
    internal string File => file;

    internal bool Has(string key) => json.ContainsKey(key);

    internal string Text(string? key, string otherwise) => Value(key) switch
    {
        null => otherwise,
        JsonValue value when value.TryGetValue<string>(out var text) => text,
        var other => throw Wrong(key!, other, "a text"),
    };

    internal int Size(string? key, int otherwise) => Value(key) switch
    {
        null => otherwise,
        JsonValue value when value.TryGetValue<int>(out var size) && size > 0 => size,
        var other => throw Wrong(key!, other, "a whole number above 0"),
    };

    internal double? Number(string? key, double least, double most) => Value(key) switch
    {
        null => null,
        JsonValue value when value.TryGetValue<double>(out var number) && number >= least && number <= most => number,
        var other => throw Wrong(key!, other, $"a number from {least} to {most}"),
    };

    internal bool Truth(string key, bool otherwise = false) => Value(key) switch
    {
        null => otherwise,
        JsonValue value when value.TryGetValue<bool>(out var truth) => truth,
        var other => throw Wrong(key, other, "true or false"),
    };

    /// <summary>A whole number that may be 0 or negative.</summary>
    internal int Whole(string key, int otherwise) => Value(key) switch
    {
        null => otherwise,
        JsonValue value when value.TryGetValue<int>(out var number) => number,
        var other => throw Wrong(key, other, "a whole number"),
    };

    /// <summary>Some words: a list of texts, or one text with bars between them.</summary>
    internal IReadOnlyList<string> Words(string key) => Value(key) switch
    {
        null => [],
        JsonArray list when list.All(word => word is JsonValue value && value.TryGetValue<string>(out _)) => [.. list.Select(word => word!.GetValue<string>())],
        JsonValue value when value.TryGetValue<string>(out var text) => text.ToLowerInvariant().Split('|', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries),
        var other => throw Wrong(key, other, "a list of texts"),
    };

    /// <summary>An object among the fields; null where it is not there.</summary>
    internal ConfigReader? Part(string key) => Value(key) switch
    {
        null => null,
        JsonObject part => new ConfigReader(part, file),
        var other => throw Wrong(key, other, "an object"),
    };

    internal ProblemType? Problem()
    {
        if (json["problem_type"] is null) return null;
        return ProblemTypes.TryGetValue(Text("problem_type", ""), out var problem)
            ? problem
            : throw Wrong("problem_type", json["problem_type"]!, string.Join(", ", ProblemTypes.Keys));
    }

    internal string[] Labels()
    {
        if (json["id2label"] is JsonObject names)
        {
            var labels = new string[names.Count];
            foreach (var (key, value) in names)
            {
                if (!int.TryParse(key, out var id) || id < 0 || id >= labels.Length || labels[id] is not null)
                    throw Wrong("id2label", names, "a name for each id from 0");
                labels[id] = value?.ToString() ?? throw Wrong("id2label", names, "a name for each id from 0");
            }
            return labels.Length > 0 ? labels : throw Wrong("id2label", names, "a name for each id from 0");
        }
        return [.. Enumerable.Range(0, Size("num_labels", 2)).Select(id => $"LABEL_{id}")];
    }

    /// <summary>The error of a value that is not one of those that there are.</summary>
    internal AttuneException Wrong(string key, string expected) => Wrong(key, json[key]!, expected);

    /// <summary>Refuses what leaves a family without positions that counts them from the padding's id on.</summary>
    /// <exception cref="AttuneException">There is no such id, or no position behind it.</exception>
    internal void RequirePositionsBehindPadding(PreTrainedConfig config)
    {
        if (config.PadTokenId is null) throw Unfit("pad_token_id is null, but positions begin behind it; take the file of the model that the weights belong to");
        if (config.MaxTokens <= 0) throw Unfit($"max_position_embeddings {config.MaxPositionEmbeddings} leaves no position behind pad_token_id {config.PadTokenId}");
    }

    /// <summary>The error of values that do not fit together.</summary>
    internal AttuneException Unfit(string what) => new($"{file}: {what}.");

    private JsonNode? Value(string? key) => key is null ? null : json[key];

    private AttuneException Wrong(string key, JsonNode value, string expected) =>
        new($"{file}: {key} is {PythonJson.Write(value)}; expected {expected}.");
}
