namespace Attune.Tokenization;

/// <summary>What tokenizers other than BERT's must know of each Unicode scalar: see <see cref="UnicodeTable"/>.</summary>
/// <remarks>Read from unicode-forms.bin, which build/tokenizer-tables.mjs writes, when it is first asked for.</remarks>
internal static class UnicodeForms
{
    /// <summary>A letter for the patterns that cut words.</summary>
    internal const byte Letter = 1;

    /// <summary>A number for them.</summary>
    internal const byte Number = 2;

    /// <summary>White space for them.</summary>
    internal const byte PatternSpace = 4;

    /// <summary>What the normalizer StripAccents takes away.</summary>
    internal const byte CombiningMark = 8;

    private static readonly CodePointTable FlagsOf = new();
    private static readonly CodePointTable CompatibleOf = new();
    private static readonly int[][] Compatible;
    private static readonly Dictionary<long, int> Composed = [];

    static UnicodeForms()
    {
        var data = new UnicodeReader("unicode-forms.bin");
        data.Runs(FlagsOf);
        Compatible = data.Sequences(CompatibleOf);
        data.Each(code => Composed[Pair(data.Number(), data.Number())] = code);
    }

    /// <summary>The bits above.</summary>
    internal static byte Flags(int code) => (byte)FlagsOf[code];

    /// <summary>The full compatibility decomposition; empty where it is the canonical one.</summary>
    internal static ReadOnlySpan<int> Compatibly(int code) => Compatible[CompatibleOf[code]];

    /// <summary>The scalar that two together are, or -1.</summary>
    internal static int Compose(int first, int second)
    {
        var hangul = UnicodeTable.ComposeHangul(first, second);
        return hangul >= 0 ? hangul : Composed.TryGetValue(Pair(first, second), out var code) ? code : -1;
    }

    private static long Pair(int first, int second) => ((long)first << 32) | (uint)second;
}
