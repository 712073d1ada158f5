using System.Collections;

namespace Attune.Datasets;

/// <summary>Rows of typed columns; those of large texts are kept in a file while they are in use. Immutable: whatever changes it returns a new one, which shares the untouched columns.</summary>
/// <remarks>
/// Names and meaning follow Hugging Face's <c>datasets.Dataset</c>. A row is a dictionary from column name to value: <see cref="string"/>,
/// <see cref="long"/>, <see cref="double"/>, an array of one of these, or null; a <see cref="ClassLabel"/> is its number.
/// </remarks>
public sealed partial class Dataset : IEnumerable<IReadOnlyDictionary<string, object?>>
{
    private readonly Column[] _columns;
    private readonly RowPlace[]? _places;
    private readonly string[] _shown;

    internal Dataset(Features features, Column[] columns, int rows, RowPlace[]? places = null, string[]? shown = null)
    {
        Features = features;
        _columns = columns;
        NumRows = rows;
        _places = places;
        _shown = shown ?? [.. features.Names];
    }

    /// <summary>The columns and their types, in order.</summary>
    public Features Features { get; }

    /// <summary>The number of rows.</summary>
    public int NumRows { get; }

    /// <summary>The names of all columns, in order, also of those that <see cref="WithFormat"/> leaves out of the rows.</summary>
    public IReadOnlyList<string> ColumnNames => Features.Names;

    /// <summary>One row, with the columns that <see cref="WithFormat"/> chose (all, if it was not called).</summary>
    /// <param name="row">The row's number, from 0.</param>
    public IReadOnlyDictionary<string, object?> this[int row]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(row);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, NumRows);
            var values = new Dictionary<string, object?>(_shown.Length, StringComparer.Ordinal);
            foreach (var name in _shown) values.Add(name, _columns[Features.IndexOf(name)][row]);
            return values;
        }
    }

    /// <summary>The values of one column.</summary>
    /// <exception cref="AttuneException">There is no such column.</exception>
    public IReadOnlyList<object?> this[string column]
    {
        get
        {
            var values = Get(column);
            var cells = new object?[NumRows];
            for (var row = 0; row < cells.Length; row++) cells[row] = values[row];
            return cells;
        }
    }

    /// <summary>The values of one column without boxing.</summary>
    /// <typeparam name="T">
    /// What the column's type holds: <c>string</c> for text, <c>long?</c> for integers and class labels, <c>double?</c> for floats, and
    /// <c>string[]</c>, <c>long[]</c>, <c>double[]</c> for lists. A missing value is null.
    /// </typeparam>
    /// <exception cref="AttuneException">There is no such column, or it is of another type.</exception>
    public IReadOnlyList<T> Column<T>(string name) => Get(name) is Column<T> column ? column.Values
        : throw new AttuneException($"The column \"{name}\" is of type {Features[name]}, not {typeof(T).Name}; ask for that type or cast the column.");

    /// <summary>The rows with their columns, one after the other.</summary>
    public IEnumerator<IReadOnlyDictionary<string, object?>> GetEnumerator()
    {
        for (var row = 0; row < NumRows; row++) yield return this[row];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>One line: columns, types, number of rows.</summary>
    public override string ToString() => $"Dataset({Features}; {NumRows} rows)";

    internal Column Get(string name) => _columns[Features.IndexOf(name)];

    /// <summary>Where a row came from: its place in its file, or its number here when it came from no file.</summary>
    internal RowPlace PlaceOf(int row) => _places is null ? new RowPlace(null, row + 1, 0) : _places[row];

    /// <summary>The file of the first row, or null.</summary>
    internal string? File => _places is { Length: > 0 } ? _places[0].File : null;

    private string Place(int row) => PlaceOf(row).ToString();

    private Dataset With(IEnumerable<(string Name, Column Column)> columns, IEnumerable<string>? shown = null)
    {
        var list = columns.ToList();
        var features = new Features(list.Select(column => KeyValuePair.Create(column.Name, column.Column.Type)));
        return new Dataset(features, [.. list.Select(column => column.Column)], NumRows, _places,
            [.. (shown ?? _shown).Where(features.ContainsKey)]);
    }

    private IEnumerable<(string Name, Column Column)> Named() => ColumnNames.Zip(_columns);
}
