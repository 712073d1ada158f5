namespace Attune.Tokenization;

/// <summary>What the tokenizer must know of each Unicode scalar, the same on every machine, without the system's ICU.</summary>
/// <remarks>
/// Read from unicode.bin, which build/tokenizer-tables.mjs writes: the answers of Hugging Face's Rust tokenizer, whose categories,
/// decompositions and lower case come from three Unicode versions. .NET's own tables are of yet another one, so they are not asked.
/// </remarks>
internal static class UnicodeTable
{
    /// <summary>Control, format, private use, U+0000 and U+FFFD: removed by clean_text, so that the word goes on.</summary>
    internal const byte Dropped = 1;

    /// <summary>White_Space: ends a word.</summary>
    internal const byte Space = 2;

    /// <summary>A word of its own.</summary>
    internal const byte Punctuation = 4;

    /// <summary>A CJK ideograph by the tokenizer's own list of blocks.</summary>
    internal const byte Ideograph = 8;

    /// <summary>A nonspacing mark: what strip_accents takes away after the decomposition.</summary>
    internal const byte Mark = 16;

    /// <summary>A \w of Rust's regular expressions: next to it a single_word token does not match.</summary>
    internal const byte Word = 32;

    /// <summary>Has a canonical decomposition (other than Hangul, which is computed).</summary>
    internal const byte Decomposes = 64;

    /// <summary>Has another lower case.</summary>
    internal const byte Lowers = 128;

    /// <summary>The one scalar whose lower case is two: i and a dot above.</summary>
    internal const int CapitalIWithDot = 0x130;

    internal const int DotAbove = 0x307;

    private const int HangulFirst = 0xAC00, HangulCount = 11172, Vowels = 21, Finals = 28;

    private static readonly CodePointTable FlagsOf = new();
    private static readonly CodePointTable LowerOf = new();
    private static readonly CodePointTable DecompositionOf = new();
    private static readonly CodePointTable RankOf = new();
    private static readonly int[][] Decompositions;

    static UnicodeTable()
    {
        var data = new UnicodeReader("unicode.bin");
        data.Runs(FlagsOf);
        data.Each(code =>
        {
            var difference = data.Number();
            LowerOf.Fill(code, code + 1, code + ((difference & 1) == 0 ? difference / 2 : -(difference + 1) / 2));
        });
        Decompositions = data.Sequences(DecompositionOf);
        data.Each(code => RankOf.Fill(code, code + 1, data.Byte()));
    }

    /// <summary>The bits above for a code point from 0 to 0x10FFFF.</summary>
    internal static byte Flags(int code) => (byte)FlagsOf[code];

    /// <summary>Lower case of a scalar that has the bit <see cref="Lowers"/>; of U+0130 only its first half.</summary>
    internal static int Lower(int code) => LowerOf[code];

    /// <summary>0 for a base character, else the place of the mark's canonical combining class among all classes.</summary>
    internal static int Rank(int code) => RankOf[code];

    internal static bool IsHangul(int code) => (uint)(code - HangulFirst) < HangulCount;

    /// <summary>The full canonical decomposition of a scalar that has the bit <see cref="Decomposes"/>.</summary>
    internal static ReadOnlySpan<int> Decomposition(int code) => Decompositions[DecompositionOf[code]];

    /// <summary>Splits a Hangul syllable into its two or three letters (Unicode standard, section 3.12). Returns how many.</summary>
    internal static int DecomposeHangul(int code, Span<int> parts)
    {
        var index = code - HangulFirst;
        parts[0] = 0x1100 + index / (Vowels * Finals);
        parts[1] = 0x1161 + index / Finals % Vowels;
        parts[2] = 0x11A7 + index % Finals;
        return index % Finals == 0 ? 2 : 3;
    }

    /// <summary>The Hangul syllable of two letters, or of a syllable and its last letter; -1 for others.</summary>
    internal static int ComposeHangul(int first, int second)
    {
        if ((uint)(first - 0x1100) < HangulCount / (Vowels * Finals) && (uint)(second - 0x1161) < Vowels)
            return HangulFirst + ((first - 0x1100) * Vowels + second - 0x1161) * Finals;
        return IsHangul(first) && (first - HangulFirst) % Finals == 0 && (uint)(second - 0x11A8) < Finals - 1 ? first + second - 0x11A7 : -1;
    }
}
