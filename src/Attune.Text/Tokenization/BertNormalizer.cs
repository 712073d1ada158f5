namespace Attune.Tokenization;

/// <summary>Hugging Face's BertNormalizer: clean, set ideographs apart, strip accents, lower the case, in this order.</summary>
/// <remarks>
/// Behaviour of tokenizers/src/normalizers/bert.rs and of the alignments in tokenizer/normalizer.rs. Accents are stripped by
/// decomposing (NFD), sorting the marks and removing the nonspacing ones; what is left is not composed again.
/// </remarks>
internal sealed class BertNormalizer(bool cleanText, bool handleChineseChars, bool stripAccents, bool lowercase)
{
    internal bool CleanText => cleanText;

    internal bool HandleChineseChars => handleChineseChars;

    internal bool Lowercase => lowercase;

    /// <summary>A text normalized by itself.</summary>
    internal string Normal(string text)
    {
        var result = new NormalizedText();
        Append(text, 0, result, new MarkQueue());
        return result.Chars.ToString();
    }

    /// <summary>Normalizes a part of a text, which begins at <paramref name="offset"/> of the original, and appends the result.</summary>
    internal void Append(ReadOnlySpan<char> text, int offset, NormalizedText result, MarkQueue marks)
    {
        for (var i = 0; i < text.Length;)
        {
            var start = i;
            var code = CodeAt(text, ref i);
            var flags = UnicodeTable.Flags(code);
            if (cleanText && (flags & UnicodeTable.Dropped) != 0) continue;
            if (cleanText && (flags & UnicodeTable.Space) != 0) (code, flags) = (' ', UnicodeTable.Flags(' '));
            var apart = handleChineseChars && (flags & UnicodeTable.Ideograph) != 0;
            if (apart) Decompose(' ', UnicodeTable.Flags(' '), offset + start, offset + i, result, marks);
            Decompose(code, flags, offset + start, offset + i, result, marks);
            if (apart) Decompose(' ', UnicodeTable.Flags(' '), offset + start, offset + i, result, marks);
        }
        Flush(result, marks);
        marks.Reset();
    }

    /// <summary>The code point at <paramref name="index"/>, which moves behind it; a lone surrogate reads as U+FFFD.</summary>
    internal static int CodeAt(ReadOnlySpan<char> text, ref int index)
    {
        var unit = text[index++];
        if (!char.IsSurrogate(unit)) return unit;
        if (char.IsHighSurrogate(unit) && index < text.Length && char.IsLowSurrogate(text[index]))
            return char.ConvertToUtf32(unit, text[index++]);
        return 0xFFFD;
    }

    private void Decompose(int code, byte flags, int start, int end, NormalizedText result, MarkQueue marks)
    {
        if (!stripAccents)
        {
            Emit(code, flags, start, end, result);
            return;
        }
        marks.AddSource(start, end);
        if ((flags & UnicodeTable.Decomposes) != 0)
        {
            var parts = UnicodeTable.Decomposition(code);
            for (var k = 0; k < parts.Length; k++) Order(parts[k], added: k > 0, result, marks);
        }
        else if (UnicodeTable.IsHangul(code))
        {
            Span<int> letters = stackalloc int[3];
            var count = UnicodeTable.DecomposeHangul(code, letters);
            for (var k = 0; k < count; k++) Order(letters[k], added: k > 0, result, marks);
        }
        else Order(code, added: false, result, marks);
    }

    private void Order(int code, bool added, NormalizedText result, MarkQueue marks)
    {
        var rank = UnicodeTable.Rank(code);
        if (rank > 0)
        {
            marks.Add(code, rank, added);
            return;
        }
        Flush(result, marks);
        EmitUnlessMark(code, added, result, marks);
    }

    private void Flush(NormalizedText result, MarkQueue marks)
    {
        if (marks.Count == 0) return;
        marks.Sort();
        for (var i = 0; i < marks.Count; i++) EmitUnlessMark(marks.Code(i), marks.Added(i), result, marks);
        marks.Clear();
    }

    private void EmitUnlessMark(int code, bool added, NormalizedText result, MarkQueue marks)
    {
        // A character that the decomposition adds shares the place of the one before it, whichever that is after the sorting.
        var (start, end) = added ? marks.LastSource : marks.TakeSource();
        var flags = UnicodeTable.Flags(code);
        if ((flags & UnicodeTable.Mark) == 0) Emit(code, flags, start, end, result);
    }

    private void Emit(int code, byte flags, int start, int end, NormalizedText result)
    {
        if (!lowercase || (flags & UnicodeTable.Lowers) == 0) result.Append(code, start, end);
        else
        {
            result.Append(UnicodeTable.Lower(code), start, end);
            if (code == UnicodeTable.CapitalIWithDot) result.Append(UnicodeTable.DotAbove, start, end);
        }
    }
}
