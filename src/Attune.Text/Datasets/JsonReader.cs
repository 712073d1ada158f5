using System.Text.Json;

namespace Attune.Datasets;

/// <summary>Reads JSON lines (an object a line) and JSON files that are one array of objects, alone or as the value of "data".</summary>
/// <remarks>Objects and lists of lists inside a row are kept as their JSON text.</remarks>
internal static class JsonReader
{
    private const string OneObject = "write each row as one JSON object, such as {\"text\": \"...\", \"label\": \"...\"}";

    internal static Dataset Read(string path, DatasetReadOptions options)
    {
        var table = new RowTable(options.CharactersInMemory);
        var bad = options.BadRowFiles.Begin(path, options);
        var isJson = Path.GetExtension(path).Equals(".json", StringComparison.OrdinalIgnoreCase);
        if (!isJson || IsLines(path) || ReadArray(path, table, bad) is not { } total)
        {
            using var text = DatasetFile.OpenText(path);
            total = ReadLines(text, path, table, bad);
        }
        bad.Finish(total);
        return table.ToDataset();
    }

    /// <summary>Reads JSON lines from a text whose every line is right and whose types are known.</summary>
    internal static Dataset ReadLines(TextReader text, string source, IReadOnlyDictionary<string, FeatureType> types)
    {
        var table = new RowTable();
        ReadLines(text, source, table, new BadRows(source, new DatasetReadOptions()));
        return table.ToDataset(types: types);
    }

    private static int ReadLines(TextReader text, string path, RowTable table, BadRows bad)
    {
        var row = 0;
        for (var line = 1; text.ReadLine() is { } json; line++)
        {
            if (string.IsNullOrWhiteSpace(json)) continue;
            var place = new RowPlace(path, ++row, line);
            if (json.Contains(DatasetFile.Invalid))
            {
                bad.Add(place, "the row is not valid UTF-8", "save the file as UTF-8", json);
                continue;
            }
            try
            {
                using var document = JsonDocument.Parse(json);
                AddRow(document.RootElement, place, table, bad);
            }
            catch (JsonException e)
            {
                bad.Add(place, $"the line is not a JSON object (character {(e.BytePositionInLine ?? 0) + 1})", OneObject, json);
            }
        }
        return row;
    }

    /// <summary>Reads a file that is one JSON value; null if it is not, and so may be JSON lines.</summary>
    private static int? ReadArray(string path, RowTable table, BadRows bad)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(stream);
        }
        catch (JsonException e)
        {
            if (!StartsWithArray(path)) return null;
            throw new AttuneException($"{path}, line {(e.LineNumber ?? 0) + 1}: the file is not valid JSON; correct it or write it as JSON lines.", e);
        }
        using (document)
        {
            var root = document.RootElement;
            if (root.ValueKind == JsonValueKind.Object)
            {
                if (RowsOf(root) is not { } data) return null;
                root = data;
            }
            if (root.ValueKind != JsonValueKind.Array) return null;
            var row = 0;
            foreach (var element in root.EnumerateArray()) AddRow(element, new RowPlace(path, ++row, 0), table, bad);
            return row;
        }
    }

    /// <summary>The array under "data", or null.</summary>
    private static JsonElement? RowsOf(JsonElement root)
    {
        try
        {
            return root.TryGetProperty("data", out var data) && data.ValueKind == JsonValueKind.Array ? data : null;
        }
        catch (InvalidOperationException)
        {
            // A key before it holds half of a surrogate pair: as a row it is refused with its place.
            return null;
        }
    }

    /// <summary>Whether the first line is an object by itself and another begins below it, as in JSON lines: such a file is never read as one value.</summary>
    private static bool IsLines(string path)
    {
        using var text = DatasetFile.OpenText(path);
        try
        {
            using var first = JsonDocument.Parse(text.ReadLine() ?? "");
            return first.RootElement.ValueKind == JsonValueKind.Object && text.ReadLine() is { } next && next.TrimStart().StartsWith('{');
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static bool StartsWithArray(string path)
    {
        using var text = DatasetFile.OpenText(path);
        int character;
        while ((character = text.Read()) >= 0 && char.IsWhiteSpace((char)character)) { }
        return character == '[';
    }

    private static void AddRow(JsonElement row, RowPlace place, RowTable table, BadRows bad)
    {
        if (row.ValueKind != JsonValueKind.Object)
        {
            bad.Add(place, $"the row is not a JSON object but a {row.ValueKind.ToString().ToLowerInvariant()}", OneObject, row.GetRawText());
            return;
        }
        try
        {
            table.Add([.. row.EnumerateObject().Select(property => KeyValuePair.Create(property.Name, Value(property.Value)))], place);
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair as an escape, or bytes that are not UTF-8: no text can be made of it.
            bad.Add(place, "the row holds text that is not valid Unicode", "correct it and save the file as UTF-8");
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
