namespace Attune.Tokenization;

/// <summary>Tokens of one sequence while they are found: ids and, where asked for, their places in the text. Reused.</summary>
internal sealed class TokenBuffer
{
    private const int KeptLength = 1 << 16;
    private int[] _ids = new int[1024];
    private int[] _starts = new int[1024];
    private int[] _ends = new int[1024];

    internal int Count { get; private set; }

    internal bool WithOffsets { get; private set; }

    internal ReadOnlySpan<int> Ids => _ids.AsSpan(0, Count);

    internal ReadOnlySpan<int> Starts => _starts.AsSpan(0, Count);

    internal ReadOnlySpan<int> Ends => _ends.AsSpan(0, Count);

    internal void Clear(bool withOffsets)
    {
        (Count, WithOffsets) = (0, withOffsets);
        if (_ids.Length > KeptLength) (_ids, _starts, _ends) = (new int[1024], new int[1024], new int[1024]);
    }

    internal void Add(int id, int start, int end)
    {
        if (Count == _ids.Length) Reserve(1);
        _ids[Count] = id;
        if (WithOffsets) (_starts[Count], _ends[Count]) = (start, end);
        Count++;
    }

    /// <summary>Room for <paramref name="count"/> more tokens, to be counted by <see cref="Commit"/>.</summary>
    internal (int[] Ids, int[] Starts, int[] Ends, int At) Reserve(int count)
    {
        if (Count + count > _ids.Length)
        {
            var length = Math.Max(2 * _ids.Length, Count + count);
            Array.Resize(ref _ids, length);
            Array.Resize(ref _starts, length);
            Array.Resize(ref _ends, length);
        }
        return (_ids, _starts, _ends, Count);
    }

    internal void Commit(int count) => Count += count;
}
