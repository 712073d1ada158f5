namespace Attune.Tokenization;

/// <summary>Combining marks that wait for the next base character, to be put in canonical order, and the places they come from.</summary>
internal sealed class MarkQueue
{
    private readonly List<(int Code, int Rank, bool Added)> _marks = [];
    private readonly Queue<(int Start, int End)> _sources = [];

    internal int Count => _marks.Count;

    /// <summary>The place taken last.</summary>
    internal (int Start, int End) LastSource { get; private set; }

    internal void AddSource(int start, int end) => _sources.Enqueue((start, end));

    internal (int Start, int End) TakeSource() => LastSource = _sources.Dequeue();

    internal void Add(int code, int rank, bool added) => _marks.Add((code, rank, added));

    internal int Code(int index) => _marks[index].Code;

    internal bool Added(int index) => _marks[index].Added;

    /// <summary>Orders by rank; marks of one rank keep their order, as the standard asks.</summary>
    internal void Sort()
    {
        if (_marks.Count < 2) return;
        var sorted = _marks.OrderBy(mark => mark.Rank).ToArray();           // LINQ's order is stable, List.Sort's is not
        _marks.Clear();
        _marks.AddRange(sorted);
    }

    internal void Clear() => _marks.Clear();

    internal void Reset() => _sources.Clear();
}
