namespace Attune.Datasets;

public sealed partial class Dataset
{
    /// <summary>Applies a function to every row and merges the columns that it returns into the row.</summary>
    /// <param name="function">From a row (with the columns that <see cref="WithFormat"/> chose) to new or changed columns.</param>
    /// <param name="removeColumns">Columns to leave out of the result (those that the function returns stay).</param>
    public Dataset Map(Func<IReadOnlyDictionary<string, object?>, IReadOnlyDictionary<string, object?>> function, params string[] removeColumns)
    {
        ArgumentNullException.ThrowIfNull(function);
        var table = new RowTable();
        foreach (var row in this) table.Add(function(row));
        return Merge(table.ToDataset(), removeColumns, sameRows: true);
    }

    /// <summary>Applies a function to batches of rows, given and returned as columns. It may return more or fewer rows than it got.</summary>
    /// <param name="function">From columns (lists of equal length) to new or changed columns (lists of equal length).</param>
    /// <param name="batchSize">Rows in a batch; the last may have fewer. Default 1000, as in Hugging Face.</param>
    /// <param name="removeColumns">Columns to leave out; when the number of rows changes, every column that the function does not return.</param>
    /// <exception cref="AttuneException">The returned lists differ in length, or the rows change in number while old columns are kept.</exception>
    public Dataset MapBatched(
        Func<IReadOnlyDictionary<string, IReadOnlyList<object?>>, IReadOnlyDictionary<string, IReadOnlyList<object?>>> function,
        int batchSize = 1000, params string[] removeColumns)
    {
        ArgumentNullException.ThrowIfNull(function);
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        var table = new RowTable();
        var sameRows = true;
        for (var start = 0; start < NumRows; start += batchSize)
        {
            var rows = Math.Min(batchSize, NumRows - start);
            var result = function(_shown.ToDictionary(name => name, IReadOnlyList<object?> (name) => Cells(name, start, rows)));
            var lengths = result.Values.Select(list => list.Count).Distinct().ToList();
            if (lengths.Count > 1)
                throw new AttuneException("The function given to MapBatched returned columns of different lengths " +
                    $"({string.Join(", ", result.Select(column => $"{column.Key}: {column.Value.Count}"))}); return one value per row in each.");
            var returned = lengths.Count == 0 ? rows : lengths[0];
            sameRows &= returned == rows;
            for (var i = 0; i < returned; i++) table.Add(result.Select(column => KeyValuePair.Create(column.Key, column.Value[i])));
        }
        return Merge(table.ToDataset(), removeColumns, sameRows);
    }

    /// <summary>Keeps the rows for which the condition holds.</summary>
    public Dataset Filter(Func<IReadOnlyDictionary<string, object?>, bool> condition)
    {
        ArgumentNullException.ThrowIfNull(condition);
        return Select(Enumerable.Range(0, NumRows).Where(row => condition(this[row])));
    }

    /// <summary>The rows of these numbers (from 0), in this order; a number may occur more than once.</summary>
    /// <exception cref="AttuneException">There is no row of a number.</exception>
    public Dataset Select(IEnumerable<int> rows)
    {
        int[] chosen = [.. rows];
        foreach (var row in chosen)
        {
            if (row < 0 || row >= NumRows)
                throw new AttuneException($"There is no row {row}; the data set has {NumRows} rows, numbered from 0: choose among these.");
        }
        return new Dataset(Features, [.. _columns.Select(column => column.Take(chosen))], chosen.Length,
            _places is null ? null : [.. chosen.Select(row => _places[row])], _shown);
    }

    /// <summary>The rows in random order. The same seed gives the same order everywhere; it is not the order that numpy, and so Hugging Face, gives.</summary>
    public Dataset Shuffle(long seed) => Select(SeededOrder.Permutation(NumRows, (ulong)seed));

    /// <summary>Renames a column.</summary>
    /// <exception cref="AttuneException">There is no such column, or the new name is taken.</exception>
    public Dataset RenameColumn(string from, string to)
    {
        _ = Features.IndexOf(from);
        if (from != to && Features.ContainsKey(to))
            throw new AttuneException($"The column \"{from}\" cannot be renamed to \"{to}\": there is one of that name; remove it first or choose another name.");
        return With(Named().Select(column => column.Name == from ? (to, column.Column) : column), _shown.Select(name => name == from ? to : name));
    }

    /// <summary>Leaves columns out.</summary>
    /// <exception cref="AttuneException">There is no column of a name.</exception>
    public Dataset RemoveColumns(params string[] names)
    {
        foreach (var name in names) _ = Features.IndexOf(name);
        return With(Named().Where(column => !names.Contains(column.Name)));
    }

    /// <summary>Chooses the columns that rows show; the others stay in the data set (<c>set_format(columns=...)</c>, but as a new data set).</summary>
    /// <param name="columns">The columns in the order to show them; none: all.</param>
    /// <exception cref="AttuneException">There is no column of a name.</exception>
    public Dataset WithFormat(params string[] columns)
    {
        foreach (var name in columns) _ = Features.IndexOf(name);
        return With(Named(), columns.Length == 0 ? ColumnNames : columns.Distinct());
    }

    /// <summary>Gives a column another type: text to numbers, integers to floats, names or numbers to class labels, and back to text.</summary>
    /// <exception cref="AttuneException">There is no such column, or a value does not fit the type; the message names its row.</exception>
    public Dataset CastColumn(string name, FeatureType type)
    {
        ArgumentNullException.ThrowIfNull(type);
        var former = Get(name);
        if (former.Type.Equals(type)) return this;
        IReadOnlyList<object?> values = former.Type is ClassLabel classes && (type == FeatureType.String || type is ClassLabel)
            ? [.. this[name].Select(value => value is >= 0L ? classes.NameOf((long)value) : null)]
            : this[name];
        return Replace(name, ColumnBuilder.Build(name, type, values, Place));
    }

    /// <summary>Makes a column of text or integers one of class labels: the classes are its values, sorted (integers by size, text ordinally).</summary>
    /// <exception cref="AttuneException">There is no such column, or it holds floats or lists.</exception>
    public Dataset ClassEncodeColumn(string name)
    {
        var type = Features[name];
        if (type is ClassLabel) return this;
        if (type != FeatureType.String && type != FeatureType.Int64)
            throw new AttuneException($"The column \"{name}\" is of type {type}, which has no classes; class labels are made of text or integers.");
        var keys = CastColumn(name, FeatureType.String);
        return keys.CastColumn(name, new ClassLabel(LabelNames.Sorted(keys.Column<string?>(name).OfType<string>())));
    }

    private Dataset Replace(string name, Column column) =>
        With(Named().Select(former => former.Name == name ? (name, column) : former));

    private object?[] Cells(string name, int start, int count)
    {
        var column = Get(name);
        var cells = new object?[count];
        for (var i = 0; i < count; i++) cells[i] = column[start + i];
        return cells;
    }

    private Dataset Merge(Dataset fresh, string[] removeColumns, bool sameRows)
    {
        foreach (var name in removeColumns) _ = Features.IndexOf(name);
        var kept = Named().Where(column => !removeColumns.Contains(column.Name)).ToList();
        if (!sameRows && kept.Find(column => !fresh.Features.ContainsKey(column.Name)) is { Name: { } stale })
            throw new AttuneException($"The mapped function changed the number of rows from {NumRows} to {fresh.NumRows}, so the column " +
                $"\"{stale}\" no longer fits; name it among the columns to remove.");
        var columns = kept.Select(column => fresh.Features.ContainsKey(column.Name) ? (column.Name, Like(column)) : column)
            .Concat(fresh.Named().Where(column => kept.TrueForAll(former => former.Name != column.Name))).ToList();
        var features = new Features(columns.Select(column => KeyValuePair.Create(column.Name, column.Item2.Type)));
        return new Dataset(features, [.. columns.Select(column => column.Item2)], fresh.NumRows, sameRows ? _places : null);

        // A class label that comes back as integers, or with no value at all, is still that class label.
        Column Like((string Name, Column Column) former)
        {
            var column = fresh.Get(former.Name);
            return column.Type.Equals(former.Column.Type) ? column
                : ColumnBuilder.Infer(former.Name, fresh[former.Name], fresh.Place, like: former.Column.Type);
        }
    }
}
