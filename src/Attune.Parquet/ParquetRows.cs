using Attune.Datasets;
using ParquetSharp;

namespace Attune.Parquet;

/// <summary>Reads a Parquet file row by row, some hundred of each column at a time, however large its row groups are.</summary>
internal sealed class ParquetRows(string path, DatasetReadOptions options) : RowReader(path)
{
    private const int RowsInBatch = 512;

    internal override IEnumerable<SourceRow> Rows(BadRowSink bad, IReadOnlyCollection<string>? columns = null)
    {
        using var properties = ReaderProperties.GetDefaultReaderProperties();
        properties.EnableBufferedStream();                                 // else a row group's whole column is read at once
        using var file = Try(() => new ParquetFileReader(Path, properties));
        var metadata = file.FileMetaData;
        var (row, total) = (0, Try(() => metadata.NumRows));
        for (var group = 0; group < metadata.NumRowGroups; group++)
        {
            using var groupReader = Try(() => file.RowGroup(group));
            var readers = Try(() => Columns(metadata.Schema, groupReader, columns, isFirst: group == 0));
            try
            {
                string[] names = [.. readers.Select(reader => reader.Name)];
                for (var left = readers.Count == 0 ? 0 : Try(() => groupReader.MetaData.NumRows); left > 0;)
                {
                    var count = (int)Math.Min(left, RowsInBatch);
                    var cells = readers.ConvertAll(reader => Try(() => reader.Next(count)));
                    for (var i = 0; i < count; i++)
                    {
                        Share = (double)++row / total;
                        yield return new SourceRow(new RowPlace(Path, row, 0), names, cells.ConvertAll(column => column[i]));
                    }
                    left -= count;
                }
            }
            finally
            {
                foreach (var reader in readers) reader.Dispose();
            }
        }
    }

    private List<ColumnCells> Columns(SchemaDescriptor schema, RowGroupReader group, IReadOnlyCollection<string>? wanted, bool isFirst)
    {
        var (found, leftOut) = (new List<ColumnCells>(), new SortedSet<string>(StringComparer.Ordinal));
        for (var index = 0; index < schema.NumColumns; index++)
        {
            using var path = schema.Column(index).Path;
            var name = path.ToDotVector()[0];
            if (wanted?.Contains(name) == false) continue;
            var column = ParquetDataset.IsPlainOrList(schema, index) ? group.Column(index) : null;
            var reader = column?.LogicalReader();
            if (reader?.Apply(new Cells()) is { } next) found.Add(new ColumnCells(name, next, reader, column!));
            else
            {
                leftOut.Add(name);
                reader?.Dispose();
                column?.Dispose();
            }
        }
        if (isFirst && leftOut.Count > 0) options.Warn?.Invoke(ParquetDataset.LeftOut(Path, leftOut));
        return found;
    }

    private T Try<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (ParquetDataset.IsOfTheLibrary(e))
        {
            throw ParquetDataset.Unreadable(Path, e);
        }
    }

    private sealed record ColumnCells(string Name, Func<int, object?[]> Next, LogicalColumnReader Reader, ColumnReader Column) : IDisposable
    {
        public void Dispose()
        {
            Reader.Dispose();
            Column.Dispose();
        }
    }

    private sealed class Cells : ILogicalColumnReaderVisitor<Func<int, object?[]>?>
    {
        public Func<int, object?[]>? OnLogicalColumnReader<TElement>(LogicalColumnReader<TElement> columnReader)
        {
            if (!ParquetDataset.IsSupported(typeof(TElement))) return null;
            var batch = new TElement[RowsInBatch];
            return count =>
            {
                for (var done = 0; done < count;)
                {
                    var read = columnReader.ReadBatch(batch.AsSpan(done, count - done));
                    if (read == 0) throw new InvalidDataException("There are fewer rows than the file says.");
                    done += read;
                }
                return Array.ConvertAll(batch[..count], cell => (object?)cell);
            };
        }
    }
}
