using System.Text;

namespace Attune.Cli.Pages;

/// <summary>A piece of a page. A string becomes one only by escaping, so nothing that comes from data is ever read as markup.</summary>
/// <remarks>Elements are written so that a reader of XML understands them too, by which the tests check pages.</remarks>
internal readonly record struct Markup
{
    private readonly string? _html;

    private Markup(string html) => _html = html;

    /// <summary>Text, escaped.</summary>
    public static implicit operator Markup(string? text) => new(Escaped(text ?? ""));

    /// <summary>An element around some pieces.</summary>
    /// <param name="name">Of the element.</param>
    /// <param name="content">What is in it.</param>
    /// <param name="attributes">Names and values; those whose value is null are left out.</param>
    internal static Markup Element(string name, Markup content, params ReadOnlySpan<(string Name, string? Value)> attributes)
    {
        var text = new StringBuilder("<").Append(name);
        foreach (var (key, value) in attributes)
            if (value is not null) text.Append(' ').Append(key).Append("=\"").Append(Escaped(value)).Append('"');
        return new(text.Append('>').Append(content).Append("</").Append(name).Append('>').ToString());
    }

    /// <summary>Pieces one after the other.</summary>
    internal static Markup Join(IEnumerable<Markup> pieces) => new(string.Concat(pieces.Select(piece => piece.ToString())));

    /// <summary>The same with a space or a comma between them.</summary>
    internal static Markup Join(string between, IEnumerable<Markup> pieces) => new(string.Join(Escaped(between), pieces.Select(piece => piece.ToString())));

    /// <summary>What <see cref="SvgWriter"/> has written.</summary>
    internal static Markup OfDrawing(Drawing drawing, string title, string description) => new(SvgWriter.Element(drawing, title, description));

    /// <summary>One piece after another.</summary>
    public static Markup operator +(Markup first, Markup second) => new(first.ToString() + second.ToString());

    /// <summary>As it stands in the file.</summary>
    public override string ToString() => _html ?? "";

    /// <summary>Text for an element or an attribute; characters that XML cannot hold are shown as U+FFFD.</summary>
    internal static string Escaped(string text)
    {
        var escaped = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())                        // half a pair comes as U+FFFD
        {
            escaped.Append(rune.Value switch
            {
                '&' => "&amp;",
                '<' => "&lt;",
                '>' => "&gt;",
                '"' => "&quot;",
                '\'' => "&#39;",
                '\t' or '\n' or '\r' => " ",
                < 0x20 or 0x7F or 0xFFFE or 0xFFFF => "\uFFFD",
                // Marks that turn the direction of what follows would reach beyond their text.
                (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069) => "\uFFFD",
                _ => rune.ToString(),
            });
        }
        return escaped.ToString();
    }
}
