using Attune.Formats;
using ParquetSharp;
using ParquetSharp.IO;

namespace Attune.Parquet;

/// <summary>Writes rows as a Parquet file, in row groups that depend on the rows alone: the same rows give the same bytes.</summary>
internal static class ParquetTable
{
    /// <summary>Rows of a row group at most.</summary>
    internal const int RowsInGroup = 1 << 16;

    /// <summary>Characters of a row group from which on it ends, so that long texts do not fill the memory.</summary>
    private const long CharactersInGroup = 1 << 25;

    /// <summary>Writes a file.</summary>
    /// <param name="output">Is left open.</param>
    /// <param name="columns">The columns; each name once.</param>
    /// <param name="rows">A cell for each column, of its kind.</param>
    /// <exception cref="IOException">The stream cannot be written.</exception>
    internal static void Write(Stream output, IReadOnlyList<ParquetColumn> columns, IEnumerable<object?[]> rows)
    {
        var watched = new WatchedStream(output);
        try
        {
            using var builder = new WriterPropertiesBuilder();
            using var properties = builder.Compression(Compression.Snappy).CreatedBy("attune").Build();
            using var stream = new ManagedOutputStream(watched, leaveOpen: true);
            using var file = new ParquetFileWriter(stream, [.. columns.Select(column => column.Schema)], null, properties);
            var (group, characters) = (new List<object?[]>(), 0L);
            foreach (var row in rows)
            {
                group.Add(row);
                foreach (var cell in row) characters += (cell as string)?.Length ?? 0;
                if (group.Count < RowsInGroup && characters < CharactersInGroup) continue;
                WriteGroup(file, columns, group);
                group.Clear();
                characters = 0;
            }
            if (group.Count > 0) WriteGroup(file, columns, group);
            file.Close();
        }
        catch (Exception) when (watched.Fault is { } fault)
        {
            // The library makes an error of its own of it, which no longer says that the disk is full.
            throw new IOException(fault.Message, fault.HResult);
        }
    }

    private static void WriteGroup(ParquetFileWriter file, IReadOnlyList<ParquetColumn> columns, List<object?[]> rows)
    {
        using var group = file.AppendRowGroup();
        for (var i = 0; i < columns.Count; i++)
        {
            using var writer = group.NextColumn();
            columns[i].Write(writer, rows, i);
        }
        group.Close();
    }

    /// <summary>Remembers why it could not be written.</summary>
    private sealed class WatchedStream(Stream inner) : WriteOnlyStream(inner)
    {
        internal IOException? Fault { get; private set; }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            try
            {
                Inner.Write(buffer);
            }
            catch (IOException e)
            {
                Fault = e;
                throw;
            }
        }

        public override void Flush()
        {
        }
    }
}
