namespace Attune.Tokenization;

/// <summary>The pieces of a long word as a chain, with the pairs that can be merged in a queue: time in proportion to n log n.</summary>
internal sealed class SymbolChain
{
    private readonly ByteLevelBpe.Symbol[] _symbols;
    private readonly Func<int, int, ByteLevelBpe.Merge> _find;
    private readonly int[] _next, _previous;
    private readonly PriorityQueue<(int At, int Left, int Right, int Id), (int Rank, int At)> _queue = new();

    internal SymbolChain(ByteLevelBpe.Symbol[] symbols, Func<int, int, ByteLevelBpe.Merge> find)
    {
        (_symbols, _find) = (symbols, find);
        (_next, _previous) = (new int[symbols.Length], new int[symbols.Length]);
        for (var i = 0; i < symbols.Length; i++) (_next[i], _previous[i]) = (i + 1 < symbols.Length ? i + 1 : -1, i - 1);
        for (var i = 0; i < symbols.Length; i++) Offer(i);
    }

    internal ByteLevelBpe.Symbol[] MergeAll()
    {
        while (_queue.TryDequeue(out var pair, out _))
        {
            var (at, left, right, id) = pair;
            var second = _next[at];
            // The queue may hold pairs that are no longer there.
            if (second < 0 || _symbols[at].Id != left || _symbols[second].Id != right) continue;
            _symbols[at] = new ByteLevelBpe.Symbol(id, _symbols[at].Start, _symbols[second].End);
            _symbols[second] = new ByteLevelBpe.Symbol(-1, 0, 0);
            _next[at] = _next[second];
            if (_next[second] >= 0) _previous[_next[second]] = at;
            _next[second] = -1;
            if (_previous[at] >= 0) Offer(_previous[at]);
            Offer(at);
        }
        return Array.FindAll(_symbols, symbol => symbol.Id >= 0);
    }

    private void Offer(int at)
    {
        if (_next[at] < 0) return;
        var (left, right) = (_symbols[at].Id, _symbols[_next[at]].Id);
        var merge = _find(left, right);
        if (merge != ByteLevelBpe.Merge.None) _queue.Enqueue((at, left, right, merge.Id), (merge.Rank, at));
    }
}
