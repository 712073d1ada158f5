using Attune.Datasets;
using ParquetSharp;
using Column = Attune.Datasets.Column;

namespace Attune.Parquet;

/// <summary>Reads Parquet files as data sets: text, integers, floats, truth values, dictionaries and lists of these.</summary>
/// <remarks>
/// Class labels keep the names that Hugging Face's datasets writes into the file's metadata. Columns of other kinds (structures, maps,
/// raw bytes, lists of lists) are left out and named in a warning.
/// </remarks>
public static class ParquetDataset
{
    private const int RowsInBatch = 1 << 14;

    /// <summary>Makes <see cref="Dataset"/> and <see cref="DatasetDict"/> read files that end in .parquet. Call it once at start-up.</summary>
    public static void Register()
    {
        DatasetFile.Register(".parquet", Read);
        DatasetFile.RegisterRows(".parquet", (path, options) => new ParquetRows(path, options));
    }

    /// <summary>Reads one file.</summary>
    /// <exception cref="AttuneException">The file is not Parquet, is damaged, or its columns cannot be read.</exception>
    public static Dataset Read(string path, DatasetReadOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        try
        {
            using var file = new ParquetFileReader(path);
            return Read(path, file, options);
        }
        catch (Exception e) when (IsOfTheLibrary(e))
        {
            throw Unreadable(path, e);
        }
    }

    /// <summary>Whether an error may be the library's, which throws what it likes at damaged files, bare exceptions among them.</summary>
    internal static bool IsOfTheLibrary(Exception e) => e is not (AttuneException or IOException or UnauthorizedAccessException or OutOfMemoryException);

    /// <summary>The sentence for a damaged file: the library's own messages name its classes.</summary>
    internal static AttuneException Unreadable(string path, Exception e) => new($"{path} is not a Parquet file that can be read; write or download it again.", e);

    /// <summary>The sentence for columns that cannot be read.</summary>
    internal static string LeftOut(string path, IEnumerable<string> columns) => $"{path}: left out the columns {string.Join(", ", columns)}, whose kind is not supported.";

    private static Dataset Read(string path, ParquetFileReader file, DatasetReadOptions options)
    {
        var metadata = file.FileMetaData;
        var types = HuggingFaceFeatures.Parse(metadata.KeyValueMetadata.GetValueOrDefault("huggingface"));
        var rows = checked((int)metadata.NumRows);
        var columns = new List<KeyValuePair<string, Column>>();
        var leftOut = new SortedSet<string>(StringComparer.Ordinal);
        for (var index = 0; index < metadata.Schema.NumColumns; index++)
        {
            using var columnPath = metadata.Schema.Column(index).Path;
            var name = columnPath.ToDotVector()[0];
            if (!IsPlainOrList(metadata.Schema, index) || ReadColumn(file, index, name, types.GetValueOrDefault(name), path, options) is not { } column) leftOut.Add(name);
            else columns.Add(KeyValuePair.Create(name, column));
        }
        if (leftOut.Count > 0) options.Warn?.Invoke(LeftOut(path, leftOut));
        // What the file says of its rows is believed when they have been read.
        if (columns.Exists(column => column.Value.Length != rows)) throw new InvalidDataException("The columns are not as long as the file says.");
        if (columns.Count == 0) rows = 0;
        var places = new RowPlace[rows];
        for (var row = 0; row < rows; row++) places[row] = new RowPlace(path, row + 1, 0);
        var data = new Dataset(new Features(columns.Select(column => KeyValuePair.Create(column.Key, column.Value.Type))),
            [.. columns.Select(column => column.Value)], rows, places);
        foreach (var (name, type) in types)
            if (type is ClassLabel && data.Features.ContainsKey(name)) data = data.WithClasses(name, type, path, options);
        return data;
    }

    /// <summary>Whether a column is a value, or a list of values; the parts of structures and maps have longer paths or a root of another kind.</summary>
    internal static bool IsPlainOrList(SchemaDescriptor schema, int index)
    {
        var column = schema.Column(index);
        using var path = column.Path;
        if (path.ToDotVector().Length == 1) return true;
        using var root = schema.ColumnRoot(index);
        using var kind = root.LogicalType;
        return kind is ListLogicalType && path.ToDotVector().Length <= 3 && column.MaxRepetitionLevel == 1;
    }

    private static Column Build(string name, List<Array> groups, FeatureType? type, string path)
    {
        if (TypedColumn.Of(groups) is { } typed) return typed;
        string Place(int row) => new RowPlace(path, row + 1, 0).ToString();
        var cells = groups.SelectMany(group => group.Cast<object?>()).ToArray();
        return type is not Sequence ? ColumnBuilder.Infer(name, cells, Place) : ColumnBuilder.Build(name, type, cells, Place);
    }

    /// <summary>Reads a column row group by row group; null if its kind is not supported.</summary>
    private static Column? ReadColumn(ParquetFileReader file, int index, string name, FeatureType? type, string path, DatasetReadOptions options)
    {
        var groups = new List<Array>();
        var texts = new TextList(options.CharactersInMemory);
        for (var group = 0; group < file.FileMetaData.NumRowGroups; group++)
        {
            using var groupReader = file.RowGroup(group);
            using var column = groupReader.Column(index);
            using var reader = column.LogicalReader();
            var rows = checked((int)groupReader.MetaData.NumRows);
            if (reader is LogicalColumnReader<string?> strings) ReadBatches(strings, rows, texts.Add);
            else if (reader.Apply(new CellReader(rows)) is { } cells) groups.Add(cells);
            else return null;
        }
        return groups.Count == 0 && texts.Count > 0 ? TypedColumn.OfTexts(texts) : Build(name, groups, type, path);
    }

    /// <summary>Reads some thousands of cells at a time: a row group may be a whole file, or say that it has rows that it has not.</summary>
    private static void ReadBatches<TElement>(LogicalColumnReader<TElement> reader, int rows, Action<TElement> add)
    {
        var batch = new TElement[Math.Min(rows, RowsInBatch)];
        for (var left = rows; left > 0;)
        {
            var read = reader.ReadBatch(batch.AsSpan(0, Math.Min(left, batch.Length)));
            if (read == 0) throw new InvalidDataException("There are fewer rows than the file says.");
            foreach (var cell in batch.AsSpan(0, read)) add(cell);
            left -= read;
        }
    }

    /// <summary>Whether cells of a type can be kept: values, and lists of values.</summary>
    internal static bool IsSupported(Type type)
    {
        if (type.IsArray && type != typeof(byte[])) return IsScalar(type.GetElementType()!);
        return IsScalar(type);
    }

    private static bool IsScalar(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type == typeof(string) || type == typeof(bool) || type == typeof(decimal) || type == typeof(Half) ||
            (type.IsPrimitive && type != typeof(IntPtr) && type != typeof(UIntPtr)) ||
            type == typeof(DateTime) || type == typeof(TimeSpan) || type == typeof(Guid);
    }

    private sealed class CellReader(int rows) : ILogicalColumnReaderVisitor<Array?>
    {
        public Array? OnLogicalColumnReader<TElement>(LogicalColumnReader<TElement> columnReader)
        {
            if (!IsSupported(typeof(TElement))) return null;
            var cells = new List<TElement>();
            ReadBatches(columnReader, rows, cells.Add);
            return cells.ToArray();
        }
    }
}
