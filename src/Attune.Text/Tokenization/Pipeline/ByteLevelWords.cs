namespace Attune.Tokenization;

/// <summary>The pre-tokenizer ByteLevel with BPE over bytes: RoBERTa, ModernBERT and their like.</summary>
internal sealed class ByteLevelWords(ByteLevelBpe model, bool addPrefixSpace, bool usePattern) : WordEncoder
{
    internal override bool ReadsRaw => true;

    internal override bool Encode(ReadOnlySpan<char> text, NormalizedText? places, int from, int limit, Scratch scratch)
    {
        if (addPrefixSpace && text[0] != ' ')
        {
            // The space shares the place of the character that it is put before.
            var words = scratch.Words;
            words.Clear();
            var (start, end) = places is null ? (0, 0) : (places.Starts[from], places.Ends[from]);
            words.Append(' ', start, end);
            if (places is null) words.Append(text, 0);
            else words.Append(places, from, from + text.Length);
            text = words.Chars;
            from = 0;
            if (places is not null) places = words;
        }
        for (var i = 0; i < text.Length;)
        {
            var end = usePattern ? EndOfWord(text, i) : text.Length;
            model.Add(text[i..end], places, from + i, scratch.Tokens);
            i = end;
            if (scratch.Tokens.Count >= limit) return true;
        }
        return false;
    }

    /// <summary>The end of the word at <paramref name="at"/>, as GPT-2's pattern cuts: 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</summary>
    internal static int EndOfWord(ReadOnlySpan<char> text, int at)
    {
        if (text[at] == '\'' && Contraction(text[(at + 1)..]) is > 0 and var length) return at + 1 + length;
        var first = at;
        var kind = Kind(text, ref first);
        if (text[at] == ' ' && at + 1 < text.Length)
        {
            var second = at + 1;
            var next = Kind(text, ref second);
            if (next != UnicodeForms.PatternSpace) return EndOfRun(text, second, next);
        }
        var end = EndOfRun(text, first, kind);
        // Of several spaces before a word the last one is the word's.
        return kind == UnicodeForms.PatternSpace && end < text.Length && end > at + 1 ? end - 1 : end;
    }

    private static int EndOfRun(ReadOnlySpan<char> text, int at, int kind)
    {
        while (at < text.Length)
        {
            var next = at;
            if (Kind(text, ref next) != kind) break;
            at = next;
        }
        return at;
    }

    private static int Kind(ReadOnlySpan<char> text, ref int at)
    {
        var c = text[at];
        if (char.IsAsciiLetter(c))
        {
            at++;
            return UnicodeForms.Letter;
        }
        return UnicodeForms.Flags(BertNormalizer.CodeAt(text, ref at)) & (UnicodeForms.Letter | UnicodeForms.Number | UnicodeForms.PatternSpace);
    }

    private static int Contraction(ReadOnlySpan<char> rest) => rest switch
    {
        ['s' or 't' or 'm' or 'd', ..] => 1,
        ['r' or 'v', 'e', ..] or ['l', 'l', ..] => 2,
        _ => 0,
    };
}
