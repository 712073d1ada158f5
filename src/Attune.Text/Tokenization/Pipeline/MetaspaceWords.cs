namespace Attune.Tokenization;

/// <summary>When a word gets a mark in front that stands for a space.</summary>
internal enum PrependScheme
{
    Never,
    First,
    Always,
}

/// <summary>The pre-tokenizer Metaspace, after WhitespaceSplit where asked for, with a Unigram model: XLM-R, ALBERT, DeBERTa and their like.</summary>
internal sealed class MetaspaceWords(Unigram model, char mark, PrependScheme prepend, bool split, bool splitsAtSpaces) : WordEncoder
{
    internal override bool Encode(ReadOnlySpan<char> text, NormalizedText? places, int from, int limit, Scratch scratch)
    {
        if (!splitsAtSpaces) return EncodeWord(text, places!, from, limit, scratch);
        for (var i = 0; i < text.Length;)
        {
            var start = i;
            while (i < text.Length && !IsSpace(text[i])) i++;               // all white space is in the basic plane
            if (i > start && EncodeWord(text[start..i], places!, from + start, limit, scratch)) return true;
            i++;
        }
        return scratch.Tokens.Count >= limit;
    }

    private bool EncodeWord(ReadOnlySpan<char> text, NormalizedText places, int from, int limit, Scratch scratch)
    {
        var words = scratch.Words;
        words.Clear();
        var isFirst = places.Starts[from] == 0;                             // also not where white space before it is stripped
        if ((prepend == PrependScheme.Always || (prepend == PrependScheme.First && isFirst)) && text[0] != mark && text[0] != ' ')
            words.Append(mark, places.Starts[from], places.Ends[from]);
        for (var i = 0; i < text.Length;)
        {
            var start = from + i;
            var code = BertNormalizer.CodeAt(text, ref i);
            words.Append(code == ' ' ? mark : code, places.Starts[start], places.Ends[start]);
        }
        var all = words.Chars;
        for (var i = 0; i < all.Length;)
        {
            // A mark begins the word behind it; of several in a row each but the last is a word of its own.
            var end = i + 1;
            if (split && (all[i] != mark || end == all.Length || all[end] != mark))
                while (end < all.Length && all[end] != mark) end++;
            else if (!split) end = all.Length;
            model.Add(all[i..end], words, i, scratch.Tokens);
            i = end;
            if (scratch.Tokens.Count >= limit) return true;
        }
        return false;
    }

    private static bool IsSpace(char c) => (UnicodeTable.Flags(c) & UnicodeTable.Space) != 0;
}
