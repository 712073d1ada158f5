namespace Attune.Formats;

/// <summary>A cell of a CSV file, as RFC 4180 writes it.</summary>
internal static class CsvCell
{
    /// <summary>The text in quotes where it needs them.</summary>
    internal static string Of(string text) =>
        text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
