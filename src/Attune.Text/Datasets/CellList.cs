namespace Attune.Datasets;

/// <summary>Collects the cells of a column whose type is found at the end; a column of large texts goes into a file meanwhile.</summary>
/// <param name="charactersInMemory">So many of its texts at most stay in memory.</param>
internal sealed class CellList(long charactersInMemory)
{
    private readonly RecentTexts _recent = new();
    private List<object?> _cells = [];
    private TextList? _texts;
    private object? _last;                                                  // of the row that is being added: a key may come twice
    private bool _hasLast, _isText = true;
    private long _characters;

    /// <summary>Number of cells.</summary>
    internal int Count { get; private set; }

    /// <summary>Puts a value into a row, the last so far or a later one; what is missing in between is null.</summary>
    /// <returns>Whether it can be kept: a column that is in a file takes texts only.</returns>
    internal bool Set(int row, object? value)
    {
        if (_texts is not null && value is not (null or string)) return false;
        while (Count <= row)
        {
            Push();
            (_last, _hasLast) = (null, true);
            Count++;
        }
        _last = value;
        return true;
    }

    /// <summary>The cells, as texts where they are in a file.</summary>
    internal (IReadOnlyList<object?> Cells, IReadOnlyList<string?>? Texts) Finish(int rows)
    {
        if (Count < rows) Set(rows - 1, null);
        Push();
        _hasLast = false;
        return (_cells, _texts?.Finish());
    }

    private void Push()
    {
        if (!_hasLast) return;
        if (_texts is not null)
        {
            _texts.Add((string?)_last);
            return;
        }
        _cells.Add(_last is string text ? _recent.Of(text) : _last);
        _isText &= _last is null or string;
        _characters += (_last as string)?.Length ?? 0;
        if (!_isText || _characters <= charactersInMemory) return;
        _texts = new TextList(0);
        foreach (var cell in _cells) _texts.Add((string?)cell);
        _cells = [];
    }
}
