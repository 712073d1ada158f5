using System.Reflection;

namespace Attune.Datasets;

public sealed partial class Dataset
{
    /// <summary>Makes a data set of rows; the columns are the union of their keys, a key that a row lacks is null there.</summary>
    /// <param name="rows">Values may be text, numbers, truth values (which become the classes false and true), enumeration members, lists, null.</param>
    /// <exception cref="AttuneException">A column holds values that do not go together.</exception>
    public static Dataset FromRows(IEnumerable<IReadOnlyDictionary<string, object?>> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        var table = new RowTable();
        foreach (var row in rows) table.Add(row);
        return table.ToDataset();
    }

    /// <summary>Makes a data set of objects: their public properties are the columns, in the order of declaration.</summary>
    /// <exception cref="AttuneException">The type has no public properties, or their values cannot be columns.</exception>
    public static Dataset FromEnumerable<T>(IEnumerable<T> items) where T : notnull
    {
        ArgumentNullException.ThrowIfNull(items);
        var properties = PropertiesOf<T>();
        var table = new RowTable();
        foreach (var item in items) table.Add(properties.Select(p => KeyValuePair.Create(p.Name, p.GetValue(item))));
        return table.ToDataset(properties.Select(p => p.Name));
    }

    /// <summary>Reads a stream of objects to its end: their public properties are the columns.</summary>
    /// <exception cref="AttuneException">The type has no public properties, or their values cannot be columns.</exception>
    public static async Task<Dataset> FromAsyncEnumerable<T>(IAsyncEnumerable<T> items, CancellationToken cancellationToken = default) where T : notnull
    {
        ArgumentNullException.ThrowIfNull(items);
        var properties = PropertiesOf<T>();
        var table = new RowTable();
        await foreach (var item in items.WithCancellation(cancellationToken))
            table.Add(properties.Select(p => KeyValuePair.Create(p.Name, p.GetValue(item))));
        return table.ToDataset(properties.Select(p => p.Name));
    }

    /// <summary>Reads one file: CSV, TSV, JSON or JSON lines, and Parquet where its reader is registered.</summary>
    /// <exception cref="AttuneException">The file is absent, of an unknown kind, without rows, or a row of it cannot be read.</exception>
    public static Dataset FromFile(string path, DatasetReadOptions? options = null) => DatasetFile.Read(path, options ?? new DatasetReadOptions());

    /// <summary>Joins data sets of the same columns end to end, in the order of the first's columns.</summary>
    /// <exception cref="AttuneException">The columns differ, or have types that do not go together.</exception>
    public static Dataset Concatenate(IReadOnlyList<Dataset> parts)
    {
        ArgumentNullException.ThrowIfNull(parts);
        if (parts.Count == 0) throw new ArgumentException("There is nothing to join.", nameof(parts));
        if (parts.Count == 1) return parts[0];
        var columns = parts[0].ColumnNames.Select(name => (name, Join(name, parts))).ToList();
        if (parts.FirstOrDefault(part => part.ColumnNames.Count != columns.Count) is { } odd)
            throw new AttuneException($"{odd.File ?? "A part"} has the columns {string.Join(", ", odd.ColumnNames)}, but " +
                $"{parts[0].File ?? "the first part"} has {string.Join(", ", parts[0].ColumnNames)}; give all parts the same columns.");
        var places = parts.All(part => part._places is not null) ? parts.SelectMany(part => part._places!).ToArray() : null;
        return new Dataset(new Features(columns.Select(c => KeyValuePair.Create(c.name, c.Item2.Type))),
            [.. columns.Select(c => c.Item2)], parts.Sum(part => part.NumRows), places);
    }

    private static Column Join(string name, IReadOnlyList<Dataset> parts)
    {
        var columns = parts.Select(part => part.Get(name)).ToList();
        if (columns.All(column => column.Type.Equals(columns[0].Type))) return columns[0].Followed(columns.Skip(1));
        // Shards whose types were found one by one: 1 here and 1.5 there are floats, 1 here and "a" there are text.
        var starts = parts.SelectMany(part => Enumerable.Range(0, part.NumRows).Select(part.Place)).ToArray();
        var cells = parts.SelectMany(part => part[name]).ToList();
        var hasText = columns.Any(column => column.Type == FeatureType.String);
        return hasText && columns.All(column => column.Type is not Sequence and not ClassLabel)
            ? ColumnBuilder.Build(name, FeatureType.String, cells, row => starts[row])
            : ColumnBuilder.Infer(name, cells, row => starts[row]);
    }

    private static PropertyInfo[] PropertiesOf<T>()
    {
        var properties = typeof(T).GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.CanRead && property.GetIndexParameters().Length == 0).ToArray();
        return properties.Length > 0 && typeof(T) != typeof(string) ? properties : throw new AttuneException(
            $"{typeof(T).Name} has no public properties to make columns of; use a class, a record or an anonymous type, such as new {{ text, label }}.");
    }
}
