using System.Text.Json;

namespace Attune.Datasets;

/// <summary>A row of a data set from a JSON object.</summary>
internal static class JsonRow
{
    /// <summary>What to do about a row that is none.</summary>
    internal const string OneObject = "write each row as one JSON object, such as {\"text\": \"...\", \"label\": \"...\"}";

    /// <summary>The row; null where it cannot be used.</summary>
    internal static SourceRow? Of(JsonElement row, RowPlace place, BadRowSink bad)
    {
        if (row.ValueKind != JsonValueKind.Object)
        {
            bad(place, $"the row is not a JSON object but a {row.ValueKind.ToString().ToLowerInvariant()}", OneObject, row.GetRawText());
            return null;
        }
        try
        {
            var (names, values) = (new List<string>(), new List<object?>());
            foreach (var property in row.EnumerateObject())
            {
                names.Add(property.Name);
                values.Add(Value(property.Value));
            }
            return new SourceRow(place, names, values);
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair as an escape, or bytes that are not UTF-8: no text can be made of it.
            bad(place, "the row holds text that is not valid Unicode", "correct it and save the file as UTF-8");
            return null;
        }
    }

    private static object? Value(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array when !value.EnumerateArray().Any(IsNested) => value.EnumerateArray().Select(Value).ToArray(),
        JsonValueKind.Number => value.TryGetInt64(out var integer) ? (object)integer : value.GetDouble(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Null => null,
        JsonValueKind.String => value.GetString(),
        _ => value.GetRawText(),
    };

    private static bool IsNested(JsonElement value) => value.ValueKind is JsonValueKind.Array or JsonValueKind.Object;
}
