namespace Attune.Tokenization;

/// <summary>What a letter or digit of the basic plane becomes by itself: "Ấ" an "a" where accents are stripped and the case is lowered.</summary>
/// <remarks>
/// Only where nothing beside it can change that: letters that become one letter, and are no marks. Pages of 256 are filled when first asked
/// for, from <see cref="BertNormalizer"/>, so there is one place for what normalizing means.
/// </remarks>
internal sealed class LetterTable(BertNormalizer normalizer)
{
    private readonly char[]?[] _pages = new char[]?[256];

    /// <summary>The letter, or 0 where the character is none of these.</summary>
    internal char this[char c] => (_pages[c >> 8] ?? Fill(c >> 8))[c & 255];

    // Two threads may both fill a page, with the same letters.
    private char[] Fill(int page)
    {
        var letters = new char[256];
        var (result, marks) = (new NormalizedText(), new MarkQueue());
        for (var i = 0; i < letters.Length; i++)
        {
            var c = (char)((page << 8) | i);
            if (char.IsSurrogate(c) || !IsLetter(c)) continue;
            result.Clear();
            normalizer.Append([c], 0, result, marks);
            if (result.Length == 1 && IsLetter(result.Chars[0])) letters[i] = result.Chars[0];
        }
        return _pages[page] = letters;
    }

    private bool IsLetter(char c)
    {
        var flags = UnicodeTable.Flags(c);
        return (flags & (UnicodeTable.Space | UnicodeTable.Punctuation | UnicodeTable.Mark | UnicodeTable.Dropped)) == 0 &&
            !(normalizer.HandleChineseChars && (flags & UnicodeTable.Ideograph) != 0) && UnicodeTable.Rank(c) == 0;
    }
}
