using System.Collections;
using Attune.Batching;

namespace Attune.Inference;

/// <summary>Rows with the shortest first: those of a batch are then of like length, and an engine that pads them pads little.</summary>
internal sealed class RowsByLength : IReadOnlyList<TokenizedRow>
{
    private readonly TokenizedRow[] _rows;
    private readonly int[] _places;                                         // of each row, that in the order they were given in

    internal RowsByLength(IReadOnlyList<TokenizedRow> rows)
    {
        (_rows, _places) = ([.. rows], new int[rows.Count]);
        // The place stands in the lower half: rows of one length stay in their order.
        var keys = new long[_rows.Length];
        for (var i = 0; i < keys.Length; i++) keys[i] = ((long)_rows[i].Length << 32) | (uint)i;
        Array.Sort(keys, _rows);
        for (var i = 0; i < keys.Length; i++) _places[i] = (int)keys[i];
    }

    /// <inheritdoc/>
    public int Count => _rows.Length;

    /// <inheritdoc/>
    public TokenizedRow this[int index] => _rows[index];

    /// <summary>Some of them.</summary>
    internal ArraySegment<TokenizedRow> Slice(int first, int count) => new(_rows, first, count);

    /// <summary>What was computed of these rows, in the order they were given in.</summary>
    internal float[] InOrder(float[] logits)
    {
        var (columns, ordered) = (logits.Length / _rows.Length, new float[logits.Length]);
        for (var i = 0; i < _places.Length; i++) logits.AsSpan(i * columns, columns).CopyTo(ordered.AsSpan(_places[i] * columns));
        return ordered;
    }

    /// <inheritdoc/>
    public IEnumerator<TokenizedRow> GetEnumerator() => ((IEnumerable<TokenizedRow>)_rows).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
