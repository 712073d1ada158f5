using System.Text.Json;
using Attune.Datasets;

namespace Attune.Parquet;

/// <summary>Reads the column types that Hugging Face's datasets leaves under "huggingface" in a Parquet file.</summary>
internal static class HuggingFaceFeatures
{
    /// <summary>The types of the columns of class labels and lists of them; plain types need no telling. Empty where there is no such metadata.</summary>
    internal static IReadOnlyDictionary<string, FeatureType> Parse(string? metadata)
    {
        var types = new Dictionary<string, FeatureType>(StringComparer.Ordinal);
        if (metadata is null) return types;
        try
        {
            using var document = JsonDocument.Parse(metadata);
            foreach (var column in document.RootElement.GetProperty("info").GetProperty("features").EnumerateObject())
            {
                if (TypeOf(column.Value) is { } type) types.Add(column.Name, type);
            }
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or AttuneException)
        {
            // A note in the margin of the file: the columns themselves say enough without it.
            types.Clear();
        }
        return types;
    }

    private static FeatureType? TypeOf(JsonElement feature)
    {
        // Lists were written as [element] once, then as Sequence, now as List.
        if (feature.ValueKind == JsonValueKind.Array)
            return feature.GetArrayLength() == 1 && TypeOf(feature[0]) is ClassLabel first ? new Sequence(first) : null;
        if (feature.ValueKind != JsonValueKind.Object || !feature.TryGetProperty("_type", out var kind)) return null;
        return kind.GetString() switch
        {
            "ClassLabel" => new ClassLabel(feature.GetProperty("names").EnumerateArray().Select(name => name.GetString() ?? "")),
            "Sequence" or "List" or "LargeList" => TypeOf(feature.GetProperty("feature")) is ClassLabel element ? new Sequence(element) : null,
            _ => null,
        };
    }
}
