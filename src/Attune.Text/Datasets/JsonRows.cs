using System.Text.Json;

namespace Attune.Datasets;

/// <summary>Reads JSON lines, or the elements of a JSON array, row by row.</summary>
internal sealed class JsonRows(string path) : RowReader(path)
{
    internal override IEnumerable<SourceRow> Rows(BadRowSink bad, IReadOnlyCollection<string>? columns = null)
    {
        var isJson = System.IO.Path.GetExtension(Path).Equals(".json", StringComparison.OrdinalIgnoreCase);
        if (!isJson) return Lines(bad);
        // An array is never JSON lines, and may be one line of any length, so this is asked first.
        if (JsonReader.StartsWithArray(Path)) return Elements(bad);
        return JsonReader.IsLines(Path) || Data(bad) is not { } rows ? Lines(bad) : rows;
    }

    private IEnumerable<SourceRow> Lines(BadRowSink bad)
    {
        using var text = DatasetFile.OpenText(Path);
        foreach (var row in new JsonLines(text, Path).Rows(bad))
        {
            Read(text.BaseStream);
            yield return row;
        }
    }

    private IEnumerable<SourceRow> Elements(BadRowSink bad)
    {
        using var stream = Open();
        using var elements = JsonSerializer.DeserializeAsyncEnumerable<JsonElement>(stream).ToBlockingEnumerable().GetEnumerator();
        for (var count = 1; Next(elements); count++)
        {
            Read(stream);
            if (JsonRow.Of(elements.Current, new RowPlace(Path, count, 0), bad) is { } row) yield return row;
        }
    }

    /// <summary>The rows under "data"; null where there are none, so that the file may be JSON lines.</summary>
    private IEnumerable<SourceRow>? Data(BadRowSink bad)
    {
        using var stream = Open();
        try
        {
            using var document = JsonDocument.Parse(stream);
            if (document.RootElement.ValueKind != JsonValueKind.Object || JsonReader.RowsOf(document.RootElement) is not { } data) return null;
            Read(stream);
            return [.. data.EnumerateArray().Select((row, i) => JsonRow.Of(row, new RowPlace(Path, i + 1, 0), bad)).OfType<SourceRow>()];
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private bool Next(IEnumerator<JsonElement> elements)
    {
        try
        {
            return elements.MoveNext();
        }
        catch (JsonException e)
        {
            throw JsonReader.Invalid(Path, e);
        }
    }

    private FileStream Open() => new(Path, FileMode.Open, FileAccess.Read, FileShare.Read);

    private void Read(Stream stream) => Share = stream.Length == 0 ? 1 : (double)stream.Position / stream.Length;
}
