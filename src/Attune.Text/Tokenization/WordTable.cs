namespace Attune.Tokenization;

/// <summary>The pieces that are whole ASCII words of at most 16 characters, found by their characters packed into two numbers.</summary>
/// <remarks>Nine words in ten of a text are one piece, so this one probe is most of the work. Short words have a table of their own:
/// four of its entries fit into a line of the processor's cache.</remarks>
internal sealed class WordTable
{
    internal const int LongestWord = 16, ShortWord = 8;
    private readonly Short[] _short;
    private readonly Long[] _long;
    private readonly int _shortShift;
    private readonly int _longShift;

    internal WordTable(Dictionary<string, int> pieces)
    {
        var (few, many) = (0, 0);
        foreach (var piece in pieces.Keys)
            if (!IsWord(piece)) continue;
            else if (piece.Length <= ShortWord) few++;
            else many++;
        (_short, _shortShift) = (new Short[Capacity(few, out var bits)], 64 - bits);
        (_long, _longShift) = (new Long[Capacity(many, out bits)], 64 - bits);
        foreach (var (piece, id) in pieces)
        {
            if (!IsWord(piece)) continue;
            var low = Pack(piece.AsSpan(0, Math.Min(ShortWord, piece.Length)));
            if (piece.Length <= ShortWord)
            {
                var slot = ShortSlot(low);
                while (_short[slot].Low != 0) slot = (slot + 1) & (_short.Length - 1);
                _short[slot] = new Short(low, id);
            }
            else
            {
                var high = Pack(piece.AsSpan(ShortWord));
                var slot = LongSlot(low, high);
                while (_long[slot].Low != 0) slot = (slot + 1) & (_long.Length - 1);
                _long[slot] = new Long(low, high, id);
            }
        }
    }

    /// <summary>Id of a word of at most 8 characters, packed with the first one lowest; -1 where there is none.</summary>
    internal int Find(ulong low)
    {
        for (var slot = ShortSlot(low); ; slot = (slot + 1) & (_short.Length - 1))
        {
            ref readonly var entry = ref _short[slot];
            if (entry.Low == low) return entry.Id;
            if (entry.Low == 0) return -1;
        }
    }

    /// <summary>Id of a word of 9 to 16 characters; -1 where there is none.</summary>
    internal int Find(ulong low, ulong high)
    {
        for (var slot = LongSlot(low, high); ; slot = (slot + 1) & (_long.Length - 1))
        {
            ref readonly var entry = ref _long[slot];
            if (entry.Low == low && entry.High == high) return entry.Id;
            if (entry.Low == 0) return -1;
        }
    }

    private int ShortSlot(ulong low) => (int)(Mix(low) >> _shortShift);

    private int LongSlot(ulong low, ulong high) => (int)(Mix(low ^ ulong.RotateLeft(high * 0x9E3779B97F4A7C15, 29)) >> _longShift);

    private static ulong Mix(ulong word) => (word ^ (word >> 31)) * 0xD6E8FEB86659FD93;

    private static bool IsWord(string piece)
    {
        if (piece.Length is 0 or > LongestWord) return false;
        foreach (var letter in piece)
            if (!char.IsAsciiLetterOrDigit(letter)) return false;
        return true;
    }

    private static int Capacity(int words, out int bits)
    {
        bits = 4;
        while (1 << bits < 2 * words) bits++;
        return 1 << bits;
    }

    private static ulong Pack(ReadOnlySpan<char> word)
    {
        var packed = 0UL;
        for (var i = word.Length - 1; i >= 0; i--) packed = (packed << 8) | word[i];
        return packed;
    }

    private readonly record struct Short(ulong Low, int Id);

    private readonly record struct Long(ulong Low, ulong High, int Id);
}
