using System.Runtime.CompilerServices;

namespace Attune.Tokenization;

/// <summary>Byte-pair encoding of the UTF-8 bytes of a word: the pair of neighbours that was learned first becomes one, again and again.</summary>
/// <remarks>
/// Behaviour of tokenizers/src/models/bpe. In the vocabulary a byte is written as a character: itself where it can be seen, else one of U+0100 and up
/// (<see cref="ByteAlphabet"/>). Any number of threads may use one; each keeps the words that it has met.
/// </remarks>
internal sealed class ByteLevelBpe
{
    private const int KeptWords = 1 << 13, LongestKept = 64, FewSymbols = 24;

    [ThreadStatic]
    private static WordsMet? _met;

    private readonly int[] _ofByte = new int[256];                          // id of a byte alone, or -1
    private readonly Dictionary<long, Merge> _merges;
    private readonly Dictionary<string, int>? _whole;

    /// <param name="ids">The vocabulary.</param>
    /// <param name="merges">Pairs of pieces in the order in which they were learned.</param>
    /// <param name="unknownId">For bytes that the vocabulary lacks; null leaves them out.</param>
    /// <param name="takesWholeWords">A word that is a token is one, whatever the merges say (<c>ignore_merges</c>).</param>
    /// <exception cref="FormatException">A merge is of pieces that the vocabulary does not have.</exception>
    internal ByteLevelBpe(Dictionary<string, int> ids, IReadOnlyList<(string First, string Second)> merges, int? unknownId, bool takesWholeWords)
    {
        for (var b = 0; b < 256; b++) _ofByte[b] = ids.TryGetValue(ByteAlphabet.CharOf((byte)b).ToString(), out var id) ? id : unknownId ?? -1;
        _merges = new Dictionary<long, Merge>(merges.Count);
        for (var rank = 0; rank < merges.Count; rank++)
        {
            var (first, second) = merges[rank];
            if (!ids.TryGetValue(first, out var left) || !ids.TryGetValue(second, out var right) || !ids.TryGetValue(first + second, out var both))
                throw new FormatException($"merge {rank} (\"{first} {second}\") has a piece that the vocabulary lacks");
            _merges.TryAdd(Key(left, right), new Merge(rank, both));
        }
        if (!takesWholeWords) return;
        _whole = new Dictionary<string, int>(ids.Count, StringComparer.Ordinal);
        foreach (var (token, id) in ids)
            if (ByteAlphabet.Bytes(token) is { } bytes) _whole[System.Text.Encoding.Latin1.GetString(bytes)] = id;
    }

    /// <summary>Appends the tokens of a word.</summary>
    /// <param name="word">Its characters.</param>
    /// <param name="places">The text that it stands in; null where places are not wanted.</param>
    /// <param name="from">Where in it.</param>
    /// <param name="tokens">Are appended to.</param>
    internal void Add(ReadOnlySpan<char> word, NormalizedText? places, int from, TokenBuffer tokens)
    {
        var pieces = Pieces(word);
        if (places is null)
        {
            foreach (var id in pieces.Ids) tokens.Add(id, 0, 0);
            return;
        }
        // Bytes of one character share its place.
        var (unit, next, bytes, size, begin) = (0, 0, 0, 0, 0);
        for (var i = 0; i < pieces.Ids.Length; i++)
        {
            MoveTo(pieces.Starts[i], word);
            begin = unit;
            MoveTo(pieces.Ends[i] - 1, word);
            tokens.Add(pieces.Ids[i], places.Starts[from + begin], places.Ends[from + unit]);
        }

        void MoveTo(int index, ReadOnlySpan<char> word)
        {
            while (bytes + size <= index)
            {
                (unit, bytes) = (next, bytes + size);
                var code = BertNormalizer.CodeAt(word, ref next);
                size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
            }
        }
    }

    private Pieces Pieces(ReadOnlySpan<char> word)
    {
        if (word.Length > LongestKept) return Split(word);
        // A thread that takes turns between two tokenizers begins anew each time, which none is known to do.
        if (_met is not { } words || words.Of != this) _met = words = new WordsMet(this);
        return words.Find(word) ?? words.Keep(word, Split(word));
    }

    [SkipLocalsInit]
    private Pieces Split(ReadOnlySpan<char> word)
    {
        var room = System.Text.Encoding.UTF8.GetMaxByteCount(word.Length);
        Span<byte> bytes = room <= 4 * LongestKept ? stackalloc byte[room] : new byte[room];
        bytes = bytes[..System.Text.Encoding.UTF8.GetBytes(word, bytes)];
        if (_whole is not null && _whole.TryGetValue(System.Text.Encoding.Latin1.GetString(bytes), out var whole)) return new Pieces([whole], [0], [bytes.Length]);
        Span<Symbol> symbols = bytes.Length <= FewSymbols ? stackalloc Symbol[bytes.Length] : new Symbol[bytes.Length];
        var count = 0;
        for (var i = 0; i < bytes.Length; i++)
            if (_ofByte[bytes[i]] is >= 0 and var id) symbols[count++] = new Symbol(id, i, i + 1);
        symbols = symbols[..count];
        symbols = count <= FewSymbols ? MergeFew(symbols) : new SymbolChain(symbols.ToArray(), Find).MergeAll();
        var pieces = new Pieces(new int[symbols.Length], new int[symbols.Length], new int[symbols.Length]);
        for (var i = 0; i < symbols.Length; i++) (pieces.Ids[i], pieces.Starts[i], pieces.Ends[i]) = (symbols[i].Id, symbols[i].Start, symbols[i].End);
        return pieces;
    }

    /// <summary>Merges in place. What each pair of neighbours becomes is kept, so that a merge looks up two pairs and not all.</summary>
    [SkipLocalsInit]
    private Span<Symbol> MergeFew(Span<Symbol> symbols)
    {
        Span<Merge> pairs = stackalloc Merge[FewSymbols];
        for (var i = 0; i + 1 < symbols.Length; i++) pairs[i] = Find(symbols[i].Id, symbols[i + 1].Id);
        while (true)
        {
            var (best, at) = (Merge.None, -1);
            for (var i = 0; i + 1 < symbols.Length; i++)
                if (pairs[i].Rank < best.Rank) (best, at) = (pairs[i], i);
            if (at < 0) return symbols;
            symbols[at] = new Symbol(best.Id, symbols[at].Start, symbols[at + 1].End);
            symbols[(at + 2)..].CopyTo(symbols[(at + 1)..]);
            pairs[(at + 1)..symbols.Length].CopyTo(pairs[at..]);
            symbols = symbols[..^1];
            if (at > 0) pairs[at - 1] = Find(symbols[at - 1].Id, symbols[at].Id);
            if (at + 1 < symbols.Length) pairs[at] = Find(symbols[at].Id, symbols[at + 1].Id);
        }
    }

    private Merge Find(int left, int right) => _merges.TryGetValue(Key(left, right), out var merge) ? merge : Merge.None;

    private static long Key(int left, int right) => ((long)left << 32) | (uint)right;

    /// <summary>A rank of a pair, and what it becomes.</summary>
    internal readonly record struct Merge(int Rank, int Id)
    {
        /// <summary>Of a pair that stays two.</summary>
        internal static Merge None { get; } = new(int.MaxValue, -1);
    }

    /// <summary>A piece while a word is put together, and its bytes.</summary>
    internal readonly record struct Symbol(int Id, int Start, int End);

    /// <summary>The words that a thread has met of late: when they are many, those that have not been seen for long are forgotten.</summary>
    private sealed class WordsMet(ByteLevelBpe of)
    {
        private Dictionary<string, Pieces>.AlternateLookup<ReadOnlySpan<char>> _young = None(), _old = None();

        internal ByteLevelBpe Of => of;

        internal Pieces? Find(ReadOnlySpan<char> word)
        {
            if (_young.TryGetValue(word, out var known)) return known;
            return _old.TryGetValue(word, out var name, out known) ? Keep(name, known) : null;
        }

        internal Pieces Keep(ReadOnlySpan<char> word, Pieces pieces) => Keep(word.ToString(), pieces);

        private Pieces Keep(string word, Pieces pieces)
        {
            if (_young.Dictionary.Count >= KeptWords)
            {
                (_young, _old) = (_old, _young);
                _young.Dictionary.Clear();
            }
            return _young.Dictionary[word] = pieces;
        }

        private static Dictionary<string, Pieces>.AlternateLookup<ReadOnlySpan<char>> None() =>
            new Dictionary<string, Pieces>(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();
    }
}

/// <summary>The tokens of a word and where their bytes begin and end in it.</summary>
internal sealed record Pieces(int[] Ids, int[] Starts, int[] Ends);
