namespace Attune.Models;

/// <summary>A set of row numbers that is filled and emptied again and again.</summary>
/// <param name="rows">Number of rows of the table.</param>
internal sealed class RowMarks(int rows)
{
    private readonly bool[] _isMarked = new bool[rows];
    private readonly List<int> _marked = [];

    internal int Count => _marked.Count;

    internal bool Contains(int row) => _isMarked[row];

    /// <summary>Adds a row; false where it is in the set already.</summary>
    internal bool Add(int row)
    {
        if (_isMarked[row]) return false;
        _isMarked[row] = true;
        _marked.Add(row);
        return true;
    }

    internal int[] Ascending()
    {
        _marked.Sort();
        return [.. _marked];
    }

    internal void Clear()
    {
        foreach (var row in _marked) _isMarked[row] = false;
        _marked.Clear();
    }
}
