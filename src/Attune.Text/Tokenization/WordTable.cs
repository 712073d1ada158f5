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

    internal WordTable(IEnumerable<(string Piece, int Id)> pieces)
    {
        var words = new Dictionary<(ulong Low, ulong High), int>();
        foreach (var (piece, id) in pieces)
            if (piece.Length is > 0 and <= LongestWord && piece.All(char.IsAsciiLetterOrDigit))
                words[(Pack(piece.AsSpan(0, Math.Min(ShortWord, piece.Length))), Pack(piece.AsSpan(Math.Min(ShortWord, piece.Length))))] = id;
        var few = words.Count(word => word.Key.High == 0);
        (_short, _shortShift) = (new Short[Capacity(few, out var bits)], 64 - bits);
        (_long, _longShift) = (new Long[Capacity(words.Count - few, out bits)], 64 - bits);
        foreach (var ((low, high), id) in words)
        {
            if (high == 0)
            {
                var slot = ShortSlot(low);
                while (_short[slot].Low != 0) slot = (slot + 1) & (_short.Length - 1);
                _short[slot] = new Short(low, id);
            }
            else
            {
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
