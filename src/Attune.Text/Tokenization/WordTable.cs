namespace Attune.Tokenization;

/// <summary>The pieces that are whole ASCII words of at most 16 characters, found by their characters packed into two numbers.</summary>
/// <remarks>Nine words in ten of a text are one piece, so this one probe is most of the work.</remarks>
internal sealed class WordTable
{
    internal const int LongestWord = 16;
    private readonly Entry[] _entries;
    private readonly int _shift;

    internal WordTable(IEnumerable<(string Piece, int Id)> pieces)
    {
        var words = new Dictionary<UInt128, int>();
        foreach (var (piece, id) in pieces)
            if (piece.Length is > 0 and <= LongestWord && System.Text.Ascii.IsValid(piece)) words[Pack(piece)] = id;
        var bits = 4;
        while (1 << bits < 2 * words.Count) bits++;
        _shift = 64 - bits;
        _entries = new Entry[1 << bits];
        foreach (var (word, id) in words)
        {
            var (low, high) = ((ulong)word, (ulong)(word >> 64));
            var slot = Slot(low, high);
            while (_entries[slot].Low != 0) slot = (slot + 1) & (_entries.Length - 1);
            _entries[slot] = new Entry(low, high, id);
        }
    }

    /// <summary>Id of the word whose bytes are the given ones, the first one lowest; -1 where there is none.</summary>
    internal int Find(ulong low, ulong high)
    {
        var slot = Slot(low, high);
        while (true)
        {
            ref readonly var entry = ref _entries[slot];
            if (entry.Low == low && entry.High == high) return entry.Id;
            if (entry.Low == 0) return -1;
            slot = (slot + 1) & (_entries.Length - 1);
        }
    }

    private int Slot(ulong low, ulong high) =>
        (int)(((low ^ ulong.RotateLeft(high * 0x9E3779B97F4A7C15, 29)) * 0xD6E8FEB86659FD93) >> _shift);

    private static UInt128 Pack(string word)
    {
        UInt128 packed = 0;
        for (var i = word.Length - 1; i >= 0; i--) packed = (packed << 8) | word[i];
        return packed;
    }

    private readonly record struct Entry(ulong Low, ulong High, int Id);
}
