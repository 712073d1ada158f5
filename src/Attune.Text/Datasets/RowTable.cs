namespace Attune.Datasets;

/// <summary>Collects rows whose keys may differ, for columns whose types are found at the end.</summary>
/// <param name="charactersInMemory">As in <see cref="DatasetReadOptions"/>.</param>
internal sealed class RowTable(long charactersInMemory = long.MaxValue)
{
    private readonly List<string> _names = [];
    private readonly Dictionary<string, CellList> _columns = new(StringComparer.Ordinal);
    private readonly List<RowPlace> _places = [];

    internal int Count { get; private set; }

    internal void Add(IEnumerable<KeyValuePair<string, object?>> row, RowPlace? place = null)
    {
        foreach (var (name, value) in row)
        {
            if (!_columns.TryGetValue(name, out var column))
            {
                _columns.Add(name, column = new CellList(charactersInMemory));
                _names.Add(name);
            }
            // The same key twice in one row: the last counts, as in JSON.
            if (!column.Set(Count, value)) throw new AttuneException(
                $"{place?.ToString() ?? $"row {Count + 1}"}: the column \"{name}\" holds a value that is no text here and texts before; make the column of one type.");
        }
        if (place is { } known) _places.Add(known);
        Count++;
    }

    /// <summary>The data set of the rows so far.</summary>
    /// <param name="names">Columns that exist even if no row had them, in this order, before the others.</param>
    /// <param name="types">Types that are known; the others are found from the values.</param>
    internal Dataset ToDataset(IEnumerable<string>? names = null, IReadOnlyDictionary<string, FeatureType>? types = null)
    {
        var places = _places.Count == Count && Count > 0 ? _places.ToArray() : null;
        var order = (names ?? []).Concat(_names).Distinct(StringComparer.Ordinal).ToList();
        var built = order.ConvertAll(name =>
        {
            var (cells, texts) = (_columns.GetValueOrDefault(name) ?? new CellList(0)).Finish(Count);
            if (texts is not null) return new Column<string?>(FeatureType.String, texts);
            return types?.GetValueOrDefault(name) is { } type
                ? ColumnBuilder.Build(name, type, cells, Place)
                : ColumnBuilder.Infer(name, cells, Place);
        });
        return new Dataset(new Features(order.Zip(built, (name, column) => KeyValuePair.Create(name, column.Type))), [.. built], Count, places);

        string Place(int row) => (places is null ? new RowPlace(null, row + 1, 0) : places[row]).ToString();
    }
}
