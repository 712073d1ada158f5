using System.Text.Json.Nodes;
using Attune.Formats;

namespace Attune.Models;

/// <summary>Reads the fields of an adapter_config.json, or of the arguments that are written like it, each checked.</summary>
/// <param name="json">The object.</param>
/// <param name="source">The file or argument, for messages.</param>
internal sealed class LoraConfigReader(JsonObject json, string source)
{
    internal string? Text(string key) => json[key] switch
    {
        null => null,
        JsonValue value when value.TryGetValue<string>(out var text) => text,
        _ => throw Wrong(key, "a text"),
    };

    internal bool Truth(string key) => json[key] switch
    {
        null => false,
        JsonValue value when value.TryGetValue<bool>(out var truth) => truth,
        _ => throw Wrong(key, "true or false"),
    };

    internal int? Whole(string key) => Whole(key, json[key]);

    internal double? Number(string key) => Number(key, json[key]);

    internal int? Whole(string key, JsonNode? value) => Number(key, value) switch
    {
        null => null,
        { } number when double.IsInteger(number) && Math.Abs(number) <= int.MaxValue => (int)number,
        _ => throw Wrong(key, "a whole number"),
    };

    internal double? Number(string key, JsonNode? value) => value switch
    {
        null => null,
        JsonValue given when given.TryGetValue<double>(out var number) => number,
        JsonValue given when given.TryGetValue<long>(out var number) => number,
        JsonValue given when given.TryGetValue<int>(out var number) => number,
        _ => throw Wrong(key, "a number"),
    };

    internal IReadOnlyList<string>? Names(string key) => json[key] switch
    {
        null => null,
        JsonArray list => [.. list.Select(item => item is JsonValue value && value.TryGetValue<string>(out var name) ? name : throw Wrong(key, "a list of names"))],
        _ => throw Wrong(key, "a list of names"),
    };

    /// <summary>A list, or one number alone.</summary>
    internal IReadOnlyList<int>? Wholes(string key) => json[key] switch
    {
        null => null,
        JsonArray list => [.. list.Select(item => Whole(key, item) ?? throw Wrong(key, "a list of whole numbers"))],
        var one => [Whole(key, one)!.Value],
    };

    internal IReadOnlyList<KeyValuePair<string, T>> Map<T>(string key, Func<string, JsonNode?, T?> read) where T : struct => json[key] switch
    {
        null => [],
        JsonObject map => [.. map.Select(pair => KeyValuePair.Create(pair.Key, read(key, pair.Value) ?? throw Wrong(key, "names with a number each")))],
        _ => throw Wrong(key, "names with a number each"),
    };

    internal AttuneException Wrong(string key, string expected) => new($"{source}: {key} is {PythonJson.Write(json[key])}; expected {expected}.");
}
