using System.Text.Json;

namespace Attune.Datasets;

/// <summary>Reads JSON lines (an object a line) and JSON files that are one array of objects, alone or as the value of "data".</summary>
/// <remarks>Objects and lists of lists inside a row are kept as their JSON text.</remarks>
internal static class JsonReader
{
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

    /// <summary>Reads a file of JSON lines, or of one array, row by row. An object with the array under "data" is read whole.</summary>
    internal static RowReader Rows(string path, DatasetReadOptions options) => new JsonRows(path);

    private static int ReadLines(TextReader text, string path, RowTable table, BadRows bad)
    {
        var lines = new JsonLines(text, path);
        foreach (var row in lines.Rows(bad.Add)) table.Add(row.Names.Zip(row.Values, KeyValuePair.Create), row.Place);
        return lines.Count;
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
            throw Invalid(path, e);
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
            var count = 0;
            foreach (var element in root.EnumerateArray())
                if (JsonRow.Of(element, new RowPlace(path, ++count, 0), bad.Add) is { } row) table.Add(row.Names.Zip(row.Values, KeyValuePair.Create), row.Place);
            return count;
        }
    }

    /// <summary>The array under "data", or null.</summary>
    internal static JsonElement? RowsOf(JsonElement root)
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
    internal static bool IsLines(string path)
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

    internal static bool StartsWithArray(string path)
    {
        using var text = DatasetFile.OpenText(path);
        int character;
        while ((character = text.Read()) >= 0 && char.IsWhiteSpace((char)character)) { }
        return character == '[';
    }

    /// <summary>The sentence for a file that is no JSON.</summary>
    internal static AttuneException Invalid(string path, JsonException e) =>
        new($"{path}, line {(e.LineNumber ?? 0) + 1}: the file is not valid JSON; correct it or write it as JSON lines.", e);
}
