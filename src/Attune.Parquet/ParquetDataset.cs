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
    /// <summary>Makes <see cref="Dataset"/> and <see cref="DatasetDict"/> read files that end in .parquet. Call it once at start-up.</summary>
    public static void Register() => DatasetFile.Register(".parquet", Read);

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
        catch (Exception e) when (e is ParquetException or OverflowException or InvalidCastException or NotSupportedException)
        {
            // The messages of the native library name its classes, and say no more than this.
            throw new AttuneException($"{path} is not a Parquet file that can be read; write or download it again.", e);
        }
    }

    private static Dataset Read(string path, ParquetFileReader file, DatasetReadOptions options)
    {
        var metadata = file.FileMetaData;
        var types = HuggingFaceFeatures.Parse(metadata.KeyValueMetadata.GetValueOrDefault("huggingface"));
        var rows = checked((int)metadata.NumRows);
        var columns = new List<KeyValuePair<string, Column>>();
        var leftOut = new SortedSet<string>(StringComparer.Ordinal);
        var places = Enumerable.Range(1, rows).Select(row => new RowPlace(path, row, 0)).ToArray();
        for (var index = 0; index < metadata.Schema.NumColumns; index++)
        {
            using var columnPath = metadata.Schema.Column(index).Path;
            var name = columnPath.ToDotVector()[0];
            if (!IsPlainOrList(metadata.Schema, index) || ReadColumn(file, index, rows) is not { } cells) leftOut.Add(name);
            else columns.Add(KeyValuePair.Create(name, Build(name, cells, types.GetValueOrDefault(name), places)));
        }
        if (leftOut.Count > 0) options.Warn?.Invoke($"{path}: left out the columns {string.Join(", ", leftOut)}, whose kind is not supported.");
        return new Dataset(new Features(columns.Select(column => KeyValuePair.Create(column.Key, column.Value.Type))),
            [.. columns.Select(column => column.Value)], rows, places);
    }

    /// <summary>Whether a column is a value, or a list of values; the parts of structures and maps have longer paths or a root of another kind.</summary>
    private static bool IsPlainOrList(SchemaDescriptor schema, int index)
    {
        var column = schema.Column(index);
        using var path = column.Path;
        if (path.ToDotVector().Length == 1) return true;
        using var root = schema.ColumnRoot(index);
        using var kind = root.LogicalType;
        return kind is ListLogicalType && path.ToDotVector().Length <= 3 && column.MaxRepetitionLevel == 1;
    }

    private static Column Build(string name, object?[] cells, FeatureType? type, RowPlace[] places)
    {
        string Place(int row) => places[row].ToString();
        return type is null ? ColumnBuilder.Infer(name, cells, Place) : ColumnBuilder.Build(name, type, cells, Place);
    }

    /// <summary>All cells of a column, or null if its kind is not supported.</summary>
    private static object?[]? ReadColumn(ParquetFileReader file, int index, int rows)
    {
        var cells = new object?[rows];
        var filled = 0;
        for (var group = 0; group < file.FileMetaData.NumRowGroups; group++)
        {
            using var groupReader = file.RowGroup(group);
            using var column = groupReader.Column(index);
            using var reader = column.LogicalReader();
            var read = reader.Apply(new CellReader(checked((int)groupReader.MetaData.NumRows)));
            if (read is null) return null;
            read.CopyTo(cells, filled);
            filled += read.Length;
        }
        return cells;
    }

    private sealed class CellReader(int rows) : ILogicalColumnReaderVisitor<object?[]?>
    {
        public object?[]? OnLogicalColumnReader<TElement>(LogicalColumnReader<TElement> columnReader)
        {
            if (!IsSupported(typeof(TElement))) return null;
            var values = columnReader.ReadAll(rows);
            return Array.ConvertAll(values, value => (object?)value);
        }

        private static bool IsSupported(Type type)
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
    }
}
