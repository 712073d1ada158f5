namespace Attune.Tokenization;

/// <summary>Normalized characters and, for each, the range of the original text that it comes from. Reused: it only ever grows.</summary>
internal sealed class NormalizedText
{
    private const int KeptLength = 1 << 14;
    private char[] _chars = new char[256];
    private int[] _starts = new int[256];
    private int[] _ends = new int[256];

    /// <summary>UTF-16 code units held.</summary>
    internal int Length { get; private set; }

    internal ReadOnlySpan<char> Chars => _chars.AsSpan(0, Length);

    /// <summary>Where in the original text the code unit begins, and where the range that it stands for ends.</summary>
    internal ReadOnlySpan<int> Starts => _starts.AsSpan(0, Length);

    internal ReadOnlySpan<int> Ends => _ends.AsSpan(0, Length);

    /// <summary>Where in the original the text begins.</summary>
    internal int Origin { get; private set; }

    internal void Clear()
    {
        (Length, Origin) = (0, 0);
        if (_chars.Length > KeptLength) (_chars, _starts, _ends) = (new char[256], new int[256], new int[256]);
    }

    /// <summary>Adds a text as it is, which begins at <paramref name="offset"/> of the original.</summary>
    internal void Append(ReadOnlySpan<char> text, int offset)
    {
        if (Length == 0) Origin = offset;
        for (var i = 0; i < text.Length;)
        {
            var start = i;
            Append(BertNormalizer.CodeAt(text, ref i), offset + start, offset + i);
        }
    }

    /// <summary>Adds a part of another text.</summary>
    internal void Append(NormalizedText other, int from, int to)
    {
        for (var i = from; i < to;)
        {
            var start = i;
            var code = BertNormalizer.CodeAt(other.Chars, ref i);
            Append(code, other.Starts[start], other.Ends[start]);
        }
    }

    /// <summary>Adds one code point, as two units where UTF-16 needs two.</summary>
    internal void Append(int code, int start, int end)
    {
        if (Length + 2 > _chars.Length) Grow();
        if (code < 0x10000) Put((char)code, start, end);
        else
        {
            Put((char)(0xD7C0 + (code >> 10)), start, end);
            Put((char)(0xDC00 + (code & 0x3FF)), start, end);
        }
    }

    /// <summary>Finds the next word or punctuation mark from <paramref name="at"/> on, which moves behind it.</summary>
    /// <returns>False where there is none before <paramref name="to"/>.</returns>
    internal bool NextWord(ref int at, int to, out Word word)
    {
        var chars = _chars.AsSpan(0, to);
        word = default;
        while (at < to)
        {
            var start = at;
            var flags = UnicodeTable.Flags(BertNormalizer.CodeAt(chars, ref at));
            if ((flags & (UnicodeTable.Space | UnicodeTable.Punctuation)) == 0)
                word = word.CodePoints == 0 ? new Word(start, at, 1) : new Word(word.Start, at, word.CodePoints + 1);
            else if (word.CodePoints > 0)
            {
                at = start;                                                 // what ended the word comes next
                return true;
            }
            else if ((flags & UnicodeTable.Punctuation) != 0)
            {
                word = new Word(start, at, 1);
                return true;
            }
        }
        return word.CodePoints > 0;
    }

    private void Put(char unit, int start, int end)
    {
        _chars[Length] = unit;
        _starts[Length] = start;
        _ends[Length] = end;
        Length++;
    }

    private void Grow()
    {
        Array.Resize(ref _chars, 2 * _chars.Length);
        Array.Resize(ref _starts, 2 * _starts.Length);
        Array.Resize(ref _ends, 2 * _ends.Length);
    }

    /// <summary>A word's range in <see cref="Chars"/> and its length in code points.</summary>
    internal readonly record struct Word(int Start, int End, int CodePoints);
}
