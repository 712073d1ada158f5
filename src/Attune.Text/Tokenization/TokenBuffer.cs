namespace Attune.Tokenization;

/// <summary>Tokens of one sequence while they are found: ids and, where asked for, their places in the text. Reused.</summary>
internal sealed class TokenBuffer
{
    private const int UsualLength = 1024, KeptLength = 1 << 16;
    private const int CharactersPerToken = 3;                               // of long texts, at the least; there may be fewer
    private int[] _ids = new int[UsualLength];
    private int[] _starts = [];
    private int[] _ends = [];
    private int[] _endsOfWord = [];

    internal int Count { get; private set; }

    internal bool WithOffsets { get; private set; }

    internal ReadOnlySpan<int> Ids => _ids.AsSpan(0, Count);

    internal ReadOnlySpan<int> Starts => _starts.AsSpan(0, Count);

    internal ReadOnlySpan<int> Ends => _ends.AsSpan(0, Count);

    /// <summary>Begins anew.</summary>
    /// <param name="withOffsets">Whether places are recorded.</param>
    /// <param name="characters">Length of the text: memory for a long one is taken once and not grown into.</param>
    /// <param name="limit">About how many tokens are wanted at most.</param>
    internal void Clear(bool withOffsets, int characters, int limit)
    {
        (Count, WithOffsets) = (0, withOffsets);
        var expected = Math.Max(UsualLength, Math.Min(limit, characters / CharactersPerToken));
        if (_ids.Length < expected || _ids.Length > Math.Max(expected, KeptLength))
        {
            _ids = GC.AllocateUninitializedArray<int>(expected);
            (_starts, _ends) = ([], []);
        }
        if (withOffsets && _starts.Length < _ids.Length) (_starts, _ends) = (new int[_ids.Length], new int[_ids.Length]);
        if (_endsOfWord.Length > KeptLength) _endsOfWord = [];
    }

    internal void Add(int id, int start, int end)
    {
        if (Count == _ids.Length) Grow(1);
        _ids[Count] = id;
        if (WithOffsets) (_starts[Count], _ends[Count]) = (start, end);
        Count++;
    }

    /// <summary>Room for the ids of <paramref name="count"/> more tokens, to be counted by Commit, and for where each ends in its word.</summary>
    internal Span<int> Reserve(int count, out Span<int> ends)
    {
        if (Count + count > _ids.Length) Grow(count);
        if (_endsOfWord.Length < count) _endsOfWord = new int[Math.Max(2 * _endsOfWord.Length, count)];
        ends = _endsOfWord.AsSpan(0, count);
        return _ids.AsSpan(Count, count);
    }

    /// <summary>Counts tokens whose ids have been written, where no places are recorded.</summary>
    internal void Commit(int count) => Count += count;

    /// <summary>Records the place of the next token whose id has been written, and counts it.</summary>
    internal void Commit(int start, int end)
    {
        (_starts[Count], _ends[Count]) = (start, end);
        Count++;
    }

    private void Grow(int count)
    {
        var length = Math.Max(2 * _ids.Length, Count + count);
        Array.Resize(ref _ids, length);
        if (!WithOffsets) return;
        Array.Resize(ref _starts, length);
        Array.Resize(ref _ends, length);
    }
}
