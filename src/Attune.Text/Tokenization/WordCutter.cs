using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Attune.Tokenization;

/// <summary>Text to tokens: cuts it at white space, punctuation and ideographs and has each word split into pieces.</summary>
/// <remarks>
/// Words of ASCII letters and digits, the bulk of most texts, are lowered, measured and looked up 16 characters at a time; words of other
/// letters that become one letter each are written down letter by letter. Everything else goes through <see cref="BertNormalizer"/>, in
/// stretches that end where a word ends whatever follows.
/// </remarks>
internal sealed class WordCutter
{
    private const int IsSpace = -1, IsLetter = -2, IsOdd = -3;              // odd: dropped by cleaning, or a control inside a word
    private const int LongStretch = 256, LongestOfLetters = 64;
    private readonly BertNormalizer _normalizer;
    private readonly WordPiece _model;
    private readonly LetterTable _letters;
    private readonly int[] _ascii = new int[128];                           // id of the punctuation mark, or one of the above
    private readonly byte _caseBit;

    internal WordCutter(BertNormalizer normalizer, WordPiece model)
    {
        (_normalizer, _model, _letters) = (normalizer, model, new LetterTable(normalizer));
        _caseBit = normalizer.Lowercase ? (byte)0x20 : (byte)0;
        for (var c = 0; c < 128; c++)
        {
            var flags = UnicodeTable.Flags(c);
            _ascii[c] = normalizer.CleanText && (flags & UnicodeTable.Dropped) != 0 ? IsOdd
                : (flags & UnicodeTable.Space) != 0 ? IsSpace
                : (flags & UnicodeTable.Punctuation) != 0 ? model.Single([(char)c])
                : char.IsAsciiLetterOrDigit((char)c) ? IsLetter : IsOdd;
        }
    }

    /// <summary>Appends the tokens of a text that begins at <paramref name="offset"/> of the original.</summary>
    /// <returns>True if it stopped early: after the word that brought the tokens to <paramref name="limit"/>.</returns>
    internal bool Cut(ReadOnlySpan<char> text, int offset, int limit, Scratch scratch)
    {
        var at = 0;
        return CutSlice(text, ref at, offset, limit, limit, scratch);
    }

    /// <summary>The same from <paramref name="i"/> on; after an early stop at <paramref name="pause"/> tokens it says where to go on.</summary>
    internal bool CutSlice(ReadOnlySpan<char> text, ref int i, int offset, int pause, int limit, Scratch scratch)
    {
        var tokens = scratch.Tokens;
        while (i < text.Length)
        {
            var c = text[i];
            if (c >= 128)
            {
                if (Ends(c)) i += Mark(text, i, offset, tokens);
                else i = CutLetters(text, i, offset, limit, scratch);
            }
            else
            {
                var kind = _ascii[c];
                if (kind == IsSpace)
                {
                    i++;
                    continue;
                }
                if (kind >= 0)
                {
                    tokens.Add(kind, offset + i, offset + i + 1);
                    i++;
                }
                else if (kind == IsOdd) i = CutStretch(text, i, offset, limit, scratch);
                else i = CutAscii(text, i, offset, limit, scratch);
            }
            if (tokens.Count >= pause) return true;
        }
        return false;
    }

    /// <summary>Appends the tokens of a part of a text that is normalized already. Returns as <see cref="Cut"/> does.</summary>
    internal bool CutNormalized(NormalizedText text, int from, int to, int limit, TokenBuffer tokens)
    {
        while (text.NextWord(ref from, to, out var word))
            if (AddWord(text, word, tokens) >= limit) return true;
        return false;
    }

    /// <summary>Handles the word of ASCII letters and digits at <paramref name="at"/>. Returns where the next one may begin.</summary>
    private int CutAscii(ReadOnlySpan<char> text, int at, int offset, int limit, Scratch scratch)
    {
        var (first, second) = at + 16 <= text.Length ? Load(text[at..]) : LoadLast(text[at..]);
        var most = Vector128.Create((ushort)255);
        var bytes = Vector128.Narrow(Vector128.Min(first, most), Vector128.Min(second, most));
        var small = bytes | Vector128.Create((byte)0x20);
        var letters = Vector128.LessThanOrEqual(small - Vector128.Create((byte)'a'), Vector128.Create((byte)25));
        var digits = Vector128.LessThanOrEqual(bytes - Vector128.Create((byte)'0'), Vector128.Create((byte)9));
        var length = BitOperations.TrailingZeroCount(~(letters | digits).ExtractMostSignificantBits());
        if (length == 16)
            while (at + length < text.Length && char.IsAsciiLetterOrDigit(text[at + length])) length++;
        var end = at + length;
        if (end < text.Length && text[end] != ' ' && GoesOn(text[end])) return CutLetters(text, at, offset, limit, scratch);
        var tokens = scratch.Tokens;
        if (length <= Math.Min(WordTable.LongestWord, _model.MaxInputCharsPerWord))
        {
            var lowered = (bytes | (letters & Vector128.Create(_caseBit))).AsUInt64();
            var (low, high) = (lowered[0], lowered[1]);
            if (length <= 8) (low, high) = (low & (ulong.MaxValue >> (64 - 8 * length)), 0);
            else high &= ulong.MaxValue >> (128 - 8 * length);
            var id = _model.FindWhole(low, high);
            if (id >= 0)
            {
                tokens.Add(id, offset + at, offset + end);
                return end;
            }
        }
        SplitAscii(text[at..end], offset + at, tokens);
        return end;
    }

    private static (Vector128<ushort> First, Vector128<ushort> Second) Load(ReadOnlySpan<char> text)
    {
        ref var source = ref MemoryMarshal.GetReference(MemoryMarshal.Cast<char, ushort>(text));
        return (Vector128.LoadUnsafe(ref source), Vector128.LoadUnsafe(ref source, 8));
    }

    /// <summary>The last characters of a text, filled up with zeros, which end every word.</summary>
    private static (Vector128<ushort> First, Vector128<ushort> Second) LoadLast(ReadOnlySpan<char> text)
    {
        Span<char> padded = stackalloc char[16];
        text.CopyTo(padded);
        return Load(padded);
    }

    private void SplitAscii(ReadOnlySpan<char> word, int offset, TokenBuffer tokens)
    {
        const int small = 256;
        // A word that is too long is unknown, whatever its letters.
        if (word.Length > _model.MaxInputCharsPerWord)
        {
            tokens.Add(_model.UnknownId, offset, offset + word.Length);
            return;
        }
        Span<char> lowered = word.Length <= small ? stackalloc char[small] : new char[word.Length];
        for (var i = 0; i < word.Length; i++) lowered[i] = (char)(word[i] >= 'A' ? word[i] | _caseBit : word[i]);
        Split(lowered[..word.Length], offset, tokens);
    }

    /// <summary>Appends the pieces of a normalized word, each of whose characters stands for one of the text.</summary>
    private void Split(ReadOnlySpan<char> word, int offset, TokenBuffer tokens)
    {
        var ids = tokens.Reserve(word.Length, out var ends);
        var count = word.Length <= _model.MaxInputCharsPerWord ? _model.Split(word, ids, ends) : 0;
        if (count == 0) tokens.Add(_model.UnknownId, offset, offset + word.Length);
        else if (!tokens.WithOffsets) tokens.Commit(count);
        else
            for (var k = 0; k < count; k++) tokens.Commit(offset + (k == 0 ? 0 : ends[k - 1]), offset + ends[k]);
    }

    /// <summary>Handles the word at <paramref name="at"/> if it is short and of plain letters. Returns where the next one may begin.</summary>
    private int CutLetters(ReadOnlySpan<char> text, int at, int offset, int limit, Scratch scratch)
    {
        Span<char> word = stackalloc char[LongestOfLetters];
        var (end, all, low, high) = (at, 0, 0UL, 0UL);
        for (; end < text.Length && _letters[text[end]] is not '\0' and var letter; end++)
        {
            var length = end - at;
            if (length == LongestOfLetters) return CutStretch(text, at, offset, limit, scratch);
            word[length] = letter;
            all |= letter;
            if (length < 8) low |= (ulong)letter << (8 * length);
            else if (length < 16) high |= (ulong)letter << (8 * length);
        }
        if (end == at || (end < text.Length && GoesOn(text[end]))) return CutStretch(text, at, offset, limit, scratch);
        word = word[..(end - at)];
        var isAscii = all < 128 && word.Length <= Math.Min(WordTable.LongestWord, _model.MaxInputCharsPerWord);
        if (isAscii && _model.FindWhole(low, high) is >= 0 and var id) scratch.Tokens.Add(id, offset + at, offset + end);
        else Split(word, offset + at, scratch.Tokens);
        return end;
    }

    /// <summary>Normalizes and cuts the stretch at <paramref name="at"/>, up to something that ends every word. Returns its end.</summary>
    private int CutStretch(ReadOnlySpan<char> text, int at, int offset, int limit, Scratch scratch)
    {
        var end = at;
        while (end < text.Length)
        {
            var c = text[end];
            if (c < 128 ? _ascii[c] is >= 0 or IsSpace : Ends(c)) break;
            if (end - at > LongStretch && IsIdeograph(c)) break;
            end++;
        }
        var normalized = scratch.Normalized;
        normalized.Clear();
        _normalizer.Append(text[at..end], offset + at, normalized, scratch.Marks);
        CutNormalized(normalized, 0, normalized.Length, limit, scratch.Tokens);
        return end;
    }

    private int AddWord(NormalizedText text, NormalizedText.Word word, TokenBuffer tokens)
    {
        var ids = tokens.Reserve(word.End - word.Start, out var ends);
        var count = word.CodePoints <= _model.MaxInputCharsPerWord ? _model.Split(text.Chars[word.Start..word.End], ids, ends) : 0;
        if (count == 0) tokens.Add(_model.UnknownId, text.Starts[word.Start], text.Ends[word.End - 1]);
        else if (!tokens.WithOffsets) tokens.Commit(count);
        else
            for (var k = 0; k < count; k++)
                tokens.Commit(text.Starts[word.Start + (k == 0 ? 0 : ends[k - 1])], text.Ends[word.Start + ends[k] - 1]);
        return tokens.Count;
    }

    private int Mark(ReadOnlySpan<char> text, int at, int offset, TokenBuffer tokens)
    {
        if ((UnicodeTable.Flags(text[at]) & UnicodeTable.Punctuation) != 0)
            tokens.Add(_model.Single(text.Slice(at, 1)), offset + at, offset + at + 1);
        return 1;
    }

    /// <summary>White space or punctuation beyond ASCII that stays as it is: the word before it ends here.</summary>
    private bool Ends(char c)
    {
        if (char.IsSurrogate(c)) return false;
        var flags = UnicodeTable.Flags(c);
        return (flags & (UnicodeTable.Space | UnicodeTable.Punctuation)) != 0
            && (flags & (UnicodeTable.Decomposes | UnicodeTable.Lowers)) == 0
            && !(_normalizer.CleanText && (flags & UnicodeTable.Dropped) != 0);
    }

    private bool GoesOn(char c) => c < 128 ? _ascii[c] is IsOdd : !Ends(c) && !IsIdeograph(c);

    private bool IsIdeograph(char c) =>
        _normalizer.HandleChineseChars && (UnicodeTable.Flags(c) & UnicodeTable.Ideograph) != 0;
}
