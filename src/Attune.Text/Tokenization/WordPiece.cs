namespace Attune.Tokenization;

/// <summary>Splits one word into pieces: the longest that fits, then the longest of the rest, and so on.</summary>
/// <remarks>Behaviour of tokenizers/src/models/wordpiece/mod.rs. Pieces that continue a word are stored without their "##".</remarks>
internal sealed class WordPiece
{
    private readonly PieceTrie _words;
    private readonly PieceTrie _continuations;
    private readonly WordTable _table;

    internal WordPiece(Dictionary<string, int> pieces, string prefix, int unknownId, int maxInputCharsPerWord)
    {
        // A word that begins with punctuation is that one character, so "##ing" can only ever be a continuation.
        var apart = prefix.Length > 0 && (UnicodeTable.Flags(prefix[0]) & UnicodeTable.Punctuation) != 0;
        var words = new Dictionary<string, int>(pieces.Count, StringComparer.Ordinal);
        var continuations = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (piece, id) in pieces)
        {
            var continues = piece.StartsWith(prefix, StringComparison.Ordinal);
            if (continues) continuations[piece[prefix.Length..]] = id;
            if (!continues || !apart) words[piece] = id;
        }
        (_words, _continuations, _table) = (new PieceTrie(words), new PieceTrie(continuations), new WordTable(pieces));
        (UnknownId, MaxInputCharsPerWord) = (unknownId, maxInputCharsPerWord);
    }

    internal int UnknownId { get; }

    /// <summary>A word of more code points than this is unknown.</summary>
    internal int MaxInputCharsPerWord { get; }

    /// <summary>Id of a whole ASCII word packed into bytes (see <see cref="WordTable"/>), or -1.</summary>
    internal int FindWhole(ulong low, ulong high) => high == 0 ? _table.Find(low) : _table.Find(low, high);

    /// <summary>Id of a word of one character.</summary>
    internal int Single(ReadOnlySpan<char> word) => _words.Longest(word, out var id) == word.Length ? id : UnknownId;

    /// <summary>Writes the ids of the pieces and where each ends in the word. Returns how many, 0 if the word is unknown.</summary>
    internal int Split(ReadOnlySpan<char> word, Span<int> ids, Span<int> ends)
    {
        var count = 0;
        for (var start = 0; start < word.Length; count++)
        {
            var length = (start == 0 ? _words : _continuations).Longest(word[start..], out ids[count]);
            if (length == 0) return 0;                                      // one unknown piece makes the whole word unknown
            ends[count] = start += length;
        }
        return count;
    }
}
