using System.Text;

namespace Attune.Datasets;

/// <summary>The one door for data files: chooses the reader by the file's extension.</summary>
public static class DatasetFile
{
    /// <summary>Stands for bytes that are not UTF-8: a code point that Unicode reserves as "not a character", so that no text holds it.</summary>
    internal const char Invalid = '\uFFFE';

    // Unlike new UTF8Encoding(...) it skips a byte order mark and lets the reader go on behind invalid bytes, to name their row.
    private static readonly Encoding Utf8 = Encoding.GetEncoding("utf-8", EncoderFallback.ExceptionFallback, new DecoderReplacementFallback("\uFFFE"));

    private static readonly Dictionary<string, Func<string, DatasetReadOptions, Dataset>> Readers = new(StringComparer.OrdinalIgnoreCase)
    {
        [".csv"] = DelimitedReader.ReadCsv,
        [".tsv"] = DelimitedReader.ReadTsv,
        [".jsonl"] = JsonReader.Read,
        [".ndjson"] = JsonReader.Read,
        [".json"] = JsonReader.Read,
    };

    private static readonly Dictionary<string, Func<string, DatasetReadOptions, RowReader>> RowReaders = new(StringComparer.OrdinalIgnoreCase)
    {
        [".csv"] = DelimitedReader.CsvRows,
        [".tsv"] = DelimitedReader.TsvRows,
        [".jsonl"] = JsonReader.Rows,
        [".ndjson"] = JsonReader.Rows,
        [".json"] = JsonReader.Rows,
    };

    /// <summary>Adds the reader of a further kind of file, or replaces one. Meant for start-up; Attune.Parquet is added this way.</summary>
    /// <param name="extension">The ending with its dot, such as ".parquet".</param>
    /// <param name="reader">From path and options to rows; throws <see cref="AttuneException"/> where the file is at fault.</param>
    public static void Register(string extension, Func<string, DatasetReadOptions, Dataset> reader)
    {
        lock (Readers) Readers[extension] = reader;
    }

    /// <summary>The same for reading row by row.</summary>
    internal static void RegisterRows(string extension, Func<string, DatasetReadOptions, RowReader> reader)
    {
        lock (Readers) RowReaders[extension] = reader;
    }

    internal static string KnownExtensions
    {
        get
        {
            lock (Readers) return string.Join(", ", Readers.Keys);
        }
    }

    internal static bool IsKnown(string path) => ReaderOf(path) is not null;

    internal static Dataset Read(string path, DatasetReadOptions options)
    {
        RequireFile(path);
        var reader = ReaderOf(path) ?? throw Unknown(path);
        try
        {
            var dataset = reader(path, options);
            return dataset.NumRows > 0 ? dataset : throw Empty(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(path, e);
        }
    }

    /// <summary>Opens a file to be read row by row.</summary>
    /// <exception cref="AttuneException">There is no such file, or it cannot be read.</exception>
    internal static RowReader OpenRows(string path, DatasetReadOptions options)
    {
        RequireFile(path);
        Func<string, DatasetReadOptions, RowReader>? reader;
        lock (Readers) reader = RowReaders.GetValueOrDefault(Path.GetExtension(path));
        try
        {
            return (reader ?? throw Unknown(path))(path, options);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(path, e);
        }
    }

    /// <summary>The sentence for a file that the system does not let us read.</summary>
    internal static AttuneException Unreadable(string path, Exception e) => new($"{path} cannot be read: {e.Message.TrimEnd('.')}; check its permissions and the disk.", e);

    /// <summary>The sentence for a file without rows.</summary>
    internal static AttuneException Empty(string path) => new($"{path} has no rows; fill it or leave the split out.");

    /// <summary>Opens a text file: UTF-8, a byte order mark allowed, invalid bytes read as <see cref="Invalid"/>.</summary>
    internal static StreamReader OpenText(string path) => new(path, Utf8, detectEncodingFromByteOrderMarks: false, bufferSize: 1 << 16);

    /// <summary>The same of bytes that come from elsewhere.</summary>
    internal static StreamReader OpenText(Stream bytes) => new(bytes, Utf8, detectEncodingFromByteOrderMarks: false, bufferSize: 1 << 16);

    private static void RequireFile(string path)
    {
        if (File.Exists(path)) return;
        throw new AttuneException(Directory.Exists(path)
            ? $"{path} is a folder; name a file in it, or give the folder as the data set."
            : $"{path}: there is no such file; check the path.");
    }

    private static AttuneException Unknown(string path) =>
        new($"{path}: the ending \"{Path.GetExtension(path)}\" is not one that can be read ({KnownExtensions}); convert or rename the file.");

    private static Func<string, DatasetReadOptions, Dataset>? ReaderOf(string path)
    {
        lock (Readers) return Readers.GetValueOrDefault(Path.GetExtension(path));
    }
}
