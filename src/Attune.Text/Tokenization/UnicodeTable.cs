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

    private static readonly PagedTable FlagsOf = new();
    private static readonly PagedTable LowerOf = new();
    private static readonly PagedTable DecompositionOf = new();
    private static readonly PagedTable RankOf = new();
    private static readonly int[][] Decompositions;

    static UnicodeTable()
    {
        using var resource = typeof(UnicodeTable).Assembly.GetManifestResourceStream("Attune.Tokenization.unicode.bin")!;
        var bytes = new byte[resource.Length];
        resource.ReadExactly(bytes);
        var at = 0;
        var (code, last, bits) = (0, 0, (byte)0);
        for (var left = Number(bytes, ref at); left > 0; left--)
        {
            code += Number(bytes, ref at);
            if (bits != 0) FlagsOf.Fill(last, code, bits);
            (last, bits) = (code, bytes[at++]);
        }
        if (bits != 0) FlagsOf.Fill(last, 0x110000, bits);
        code = 0;
        for (var left = Number(bytes, ref at); left > 0; left--)
        {
            code += Number(bytes, ref at);
            var difference = Number(bytes, ref at);
            LowerOf.Fill(code, code + 1, code + ((difference & 1) == 0 ? difference / 2 : -(difference + 1) / 2));
        }
        code = 0;
        Decompositions = new int[1 + Number(bytes, ref at)][];
        Decompositions[0] = [];
        for (var number = 1; number < Decompositions.Length; number++)
        {
            code += Number(bytes, ref at);
            var parts = new int[Number(bytes, ref at)];
            for (var i = 0; i < parts.Length; i++) parts[i] = Number(bytes, ref at);
            DecompositionOf.Fill(code, code + 1, number);
            Decompositions[number] = parts;
        }
        code = 0;
        for (var left = Number(bytes, ref at); left > 0; left--)
        {
            code += Number(bytes, ref at);
            RankOf.Fill(code, code + 1, bytes[at++]);
        }
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

    private static int Number(byte[] bytes, ref int at)
    {
        var (number, shift) = (0, 0);
        for (; ; shift += 7)
        {
            var next = bytes[at++];
            number |= (next & 127) << shift;
            if (next < 128) return number;
        }
    }

    /// <summary>One value per code point in pages of 256. Pages that hold only zeros are one, and so are the whole pages of one filling.</summary>
    private sealed class PagedTable
    {
        private readonly ushort[] _pages = new ushort[0x1100];
        private int[] _values = new int[64 << 8];
        private int _used = 1;

        internal int this[int code] => _values[(_pages[code >> 8] << 8) | (code & 255)];

        internal void Fill(int from, int to, int value)
        {
            var whole = 0;
            for (int code = from, end; code < to; code = end)
            {
                ref var page = ref _pages[code >> 8];
                end = Math.Min(to, (code | 255) + 1);
                if (end - code == 256 && whole != 0)
                {
                    page = (ushort)whole;
                    continue;
                }
                if (page == 0)
                {
                    if (_used << 8 == _values.Length) Array.Resize(ref _values, 2 * _values.Length);
                    page = (ushort)_used++;
                }
                for (var i = code & 255; i <= ((end - 1) & 255); i++) _values[(page << 8) | i] = value;
                if (end - code == 256) whole = page;
            }
        }
    }
}
