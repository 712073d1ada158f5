using System.Globalization;
using System.Text.Json;
using Attune.Tokenization;

namespace Attune.Tests.Tokenization;

/// <summary>Reads the cases of the tokenizers' golden folders, and holds rows to them.</summary>
internal static class GoldenRows
{
    internal static IEnumerable<JsonElement> Lines(string folder, string file)
    {
        using var reader = new StreamReader(Golden.Open(folder, file));
        while (reader.ReadLine() is { } line)
        {
            using var document = JsonDocument.Parse(line);
            yield return document.RootElement.Clone();
        }
    }

    internal static int[] Ints(JsonElement line, string key) => [.. line.GetProperty(key).EnumerateArray().Select(x => x.GetInt32())];

    internal static TruncationStrategy Strategy(JsonElement line, string key) =>
        line.TryGetProperty(key, out var name) && name.ValueKind == JsonValueKind.String
            ? Enum.Parse<TruncationStrategy>(name.GetString()!.Replace("_", "", StringComparison.Ordinal), ignoreCase: true)
            : TruncationStrategy.DoNotTruncate;

    internal static void AssertRow(JsonElement line, Encoding encoding)
    {
        Assert.Equal(string.Join(' ', Ints(line, "ids")), string.Join(' ', encoding.Ids));
        Assert.Equal(
            string.Join(' ', Ints(line, "off")),
            string.Join(' ', encoding.CodePointOffsets().Select(o => string.Create(CultureInfo.InvariantCulture, $"{o.Start} {o.End}"))));
    }
}
