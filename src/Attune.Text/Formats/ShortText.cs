namespace Attune.Formats;

/// <summary>A text cut where it is too long to show whole.</summary>
internal static class ShortText
{
    /// <param name="text">The text.</param>
    /// <param name="most">Characters at most, the mark of the cut included. No character is cut in two.</param>
    internal static string Of(string text, int most)
    {
        if (text.Length <= most) return text;
        var end = most - 1;
        if (char.IsHighSurrogate(text[end - 1])) end--;
        return text[..end] + "\u2026";
    }
}
