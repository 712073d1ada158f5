using System.Text.Json;

namespace Attune.Datasets;

/// <summary>JSON lines one after the other: an object a line.</summary>
internal sealed class JsonLines(TextReader text, string path)
{
    /// <summary>Rows so far, those that cannot be used included.</summary>
    internal int Count { get; private set; }

    /// <summary>The rows that can be used; empty lines are none.</summary>
    internal IEnumerable<SourceRow> Rows(BadRowSink bad)
    {
        for (var line = 1; text.ReadLine() is { } json; line++)
        {
            if (string.IsNullOrWhiteSpace(json)) continue;
            if (Row(json, new RowPlace(path, ++Count, line), bad) is { } row) yield return row;
        }
    }

    private static SourceRow? Row(string json, RowPlace place, BadRowSink bad)
    {
        if (json.Contains(DatasetFile.Invalid))
        {
            bad(place, "the row is not valid UTF-8", "save the file as UTF-8", json);
            return null;
        }
        try
        {
            using var document = JsonDocument.Parse(json);
            return JsonRow.Of(document.RootElement, place, bad);
        }
        catch (JsonException e)
        {
            bad(place, $"the line is not a JSON object (character {(e.BytePositionInLine ?? 0) + 1})", JsonRow.OneObject, json);
            return null;
        }
    }
}
