namespace Attune.Tokenization;

/// <summary>The normalizer Lowercase.</summary>
internal sealed class Lowercase : Normalizer
{
    private protected override void Apply(ReadOnlySpan<char> text, AlignedWriter writer)
    {
        for (var i = 0; i < text.Length;)
        {
            var code = BertNormalizer.CodeAt(text, ref i);
            var lowers = (UnicodeTable.Flags(code) & UnicodeTable.Lowers) != 0;
            writer.Put(lowers ? UnicodeTable.Lower(code) : code, 0);
            if (code == UnicodeTable.CapitalIWithDot) writer.Put(UnicodeTable.DotAbove, 1);
        }
    }
}

/// <summary>The normalizer StripAccents. What goes counts for the character that stays before it.</summary>
internal sealed class StripAccents : Normalizer
{
    internal override bool Leaves(ReadOnlySpan<char> text) => System.Text.Ascii.IsValid(text);

    private protected override void Apply(ReadOnlySpan<char> text, AlignedWriter writer)
    {
        var (kept, gone) = (-1, 0);
        for (var i = 0; i < text.Length;)
        {
            var code = BertNormalizer.CodeAt(text, ref i);
            if ((UnicodeForms.Flags(code) & UnicodeForms.CombiningMark) != 0)
            {
                gone++;
                continue;
            }
            if (kept >= 0) writer.Put(kept, -gone);
            else writer.Skip(gone);
            (kept, gone) = (code, 0);
        }
        if (kept >= 0) writer.Put(kept, -gone);
    }
}

/// <summary>The normalizer Strip: no white space at the ends.</summary>
internal sealed class Strip(bool left, bool right) : Normalizer
{
    internal override bool Leaves(ReadOnlySpan<char> text) => text.IsEmpty || (!(left && IsSpace(text[0])) && !(right && IsSpace(text[^1])));

    private protected override void Apply(ReadOnlySpan<char> text, AlignedWriter writer)
    {
        var (from, to) = (0, text.Length);                                  // all white space is in the basic plane
        while (left && from < to && IsSpace(text[from])) from++;
        while (right && to > from && IsSpace(text[to - 1])) to--;
        writer.Skip(from);
        for (var i = from; i < to;) writer.Put(BertNormalizer.CodeAt(text, ref i), 0);
    }

    private static bool IsSpace(char c) => (UnicodeTable.Flags(c) & UnicodeTable.Space) != 0;
}

/// <summary>The normalizer Prepend: something in front of a text that is not empty.</summary>
internal sealed class Prepend(string content) : Normalizer
{
    internal override bool Leaves(ReadOnlySpan<char> text) => text.IsEmpty || content.Length == 0;

    private protected override void Apply(ReadOnlySpan<char> text, AlignedWriter writer)
    {
        for (var i = 0; i < content.Length;)
        {
            var first = i == 0;
            writer.Put(BertNormalizer.CodeAt(content, ref i), first ? 0 : 1);
        }
        for (var i = 0; i < text.Length;)
        {
            var first = i == 0;
            writer.Put(BertNormalizer.CodeAt(text, ref i), first ? 1 : 0);
        }
    }
}
