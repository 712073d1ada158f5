namespace Attune.Tokenization;

/// <summary>Byte-pair encoding of the UTF-8 bytes of a word: the pair of neighbours that was learned first becomes one, again and again.</summary>
/// <remarks>
/// Behaviour of tokenizers/src/models/bpe. In the vocabulary a byte is written as a character: itself where it can be seen, else one of U+0100 and up
/// (<see cref="ByteAlphabet"/>). Any number of threads may use one; each keeps the words that it has met.
/// </remarks>
internal sealed class ByteLevelBpe
{
    private const int KeptWords = 1 << 12, LongestKept = 64, FewSymbols = 24;

    [ThreadStatic]
    private static Words? _met;

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
        if (_met is not { } words || words.Of != this) _met = words = new Words(this);
        if (words.Found.TryGetValue(word, out var known)) return known;
        if (words.All.Count >= KeptWords) words.All.Clear();
        return words.All[word.ToString()] = Split(word);
    }

    private Pieces Split(ReadOnlySpan<char> word)
    {
        var bytes = new byte[System.Text.Encoding.UTF8.GetByteCount(word)];
        System.Text.Encoding.UTF8.GetBytes(word, bytes);
        if (_whole is not null && _whole.TryGetValue(System.Text.Encoding.Latin1.GetString(bytes), out var whole)) return new Pieces([whole], [0], [bytes.Length]);
        var symbols = new List<Symbol>(bytes.Length);
        for (var i = 0; i < bytes.Length; i++)
            if (_ofByte[bytes[i]] >= 0) symbols.Add(new Symbol(_ofByte[bytes[i]], i, i + 1));
        if (symbols.Count <= FewSymbols) MergeFew(symbols);
        else symbols = new SymbolChain(symbols, Find).MergeAll();
        var pieces = new Pieces(new int[symbols.Count], new int[symbols.Count], new int[symbols.Count]);
        foreach (var (i, symbol) in symbols.Index()) (pieces.Ids[i], pieces.Starts[i], pieces.Ends[i]) = (symbol.Id, symbol.Start, symbol.End);
        return pieces;
    }

    private void MergeFew(List<Symbol> symbols)
    {
        while (true)
        {
            var (best, at) = (new Merge(int.MaxValue, -1), -1);
            for (var i = 0; i + 1 < symbols.Count; i++)
                if (_merges.TryGetValue(Key(symbols[i].Id, symbols[i + 1].Id), out var merge) && merge.Rank < best.Rank) (best, at) = (merge, i);
            if (at < 0) return;
            symbols[at] = new Symbol(best.Id, symbols[at].Start, symbols[at + 1].End);
            symbols.RemoveAt(at + 1);
        }
    }

    private Merge? Find(int left, int right) => _merges.TryGetValue(Key(left, right), out var merge) ? merge : null;

    private static long Key(int left, int right) => ((long)left << 32) | (uint)right;

    /// <summary>A rank of a pair, and what it becomes.</summary>
    internal readonly record struct Merge(int Rank, int Id);

    /// <summary>A piece while a word is put together, and its bytes.</summary>
    internal readonly record struct Symbol(int Id, int Start, int End);

    /// <summary>The words that a thread has met.</summary>
    private sealed class Words
    {
        internal Words(ByteLevelBpe of) => (Of, Found) = (of, All.GetAlternateLookup<ReadOnlySpan<char>>());

        internal ByteLevelBpe Of { get; }

        internal Dictionary<string, Pieces> All { get; } = new(StringComparer.Ordinal);

        internal Dictionary<string, Pieces>.AlternateLookup<ReadOnlySpan<char>> Found { get; }
    }
}

/// <summary>The tokens of a word and where their bytes begin and end in it.</summary>
internal sealed record Pieces(int[] Ids, int[] Starts, int[] Ends);
