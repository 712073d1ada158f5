using System.Globalization;
using System.Text;

namespace Attune.Formats;

/// <summary>Text from a file of unknown origin, made fit for one line of a message.</summary>
internal static class Shown
{
    private const int LongestShown = 120;

    /// <summary>The text in quotation marks, cut after some 120 characters, with control characters replaced.</summary>
    internal static string Of(string text) => $"\"{Plain(text)}\"";

    /// <summary>The same without quotation marks, for names in a list.</summary>
    internal static string Plain(string text)
    {
        var line = new StringBuilder();
        foreach (var character in text.AsSpan(0, Math.Min(text.Length, LongestShown)))
            line.Append(IsPlain(character) ? character : '\uFFFD');
        return line.Append(text.Length > LongestShown ? "…" : "").ToString();
    }

    // Format characters turn the reading direction around, and lone surrogates break a terminal's encoder.
    private static bool IsPlain(char character) => char.GetUnicodeCategory(character) is not
        (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}
