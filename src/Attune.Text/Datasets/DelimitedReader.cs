using CsvHelper;

namespace Attune.Datasets;

/// <summary>Reads CSV and TSV files: one row a record, the types of the columns found from their values.</summary>
/// <remarks>
/// Cells are kept as they stand: "NA" or "None" is text, not a missing value. An empty cell is a missing value in a column of numbers and an
/// empty text in one of text. A quote inside an unquoted cell is part of the text.
/// </remarks>
internal static class DelimitedReader
{
    /// <summary>Characters of a cell at most where a file is read row by row: a quote that is never closed would else take the whole file into memory.</summary>
    private const int LongestCell = 1 << 26;

    internal static Dataset ReadCsv(string path, DatasetReadOptions options) => Read(path, options, CsvDialect(path, options));

    internal static Dataset ReadTsv(string path, DatasetReadOptions options) => Read(path, options, TsvDialect(path));

    /// <summary>Reads a CSV file row by row.</summary>
    internal static RowReader CsvRows(string path, DatasetReadOptions options) => new Streamed(path, options, CsvDialect(path, options));

    /// <summary>Reads a TSV file row by row. It is looked through once before, for its quotes.</summary>
    internal static RowReader TsvRows(string path, DatasetReadOptions options) => new Streamed(path, options, TsvDialect(path));

    private static (string, CsvMode) CsvDialect(string path, DatasetReadOptions options) => (options.Delimiter ?? DelimiterOf(path), CsvMode.RFC4180);

    private static (string, CsvMode) TsvDialect(string path)
    {
        using var text = DatasetFile.OpenText(path);
        return ("\t", TsvQuoting.IsQuoted(text) ? CsvMode.RFC4180 : CsvMode.NoEscape);
    }

    private static Dataset Read(string path, DatasetReadOptions options, (string Delimiter, CsvMode Mode) dialect)
    {
        var bad = options.BadRowFiles.Begin(path, options);
        using var rows = new DelimitedRows(path, options, dialect, bad.Add);
        var places = new List<RowPlace>();
        TextList[]? columns = null;
        foreach (var (place, cells) in rows.All())
        {
            columns ??= Columns();
            for (var i = 0; i < cells.Length; i++) columns[i].Add(cells[i]);
            places.Add(place);
        }
        bad.Finish(rows.Count);
        var typed = (columns ?? Columns()).Select(column => CellTypes.Infer(column.Finish())).ToArray();
        return new Dataset(new Features((rows.Names ?? []).Zip(typed, (name, column) => KeyValuePair.Create(name, column.Type))), typed, places.Count, [.. places]);

        TextList[] Columns() => [.. (rows.Names ?? []).Select(_ => new TextList(options.CharactersInMemory))];
    }

    /// <summary>A comma; where the first row has none outside quotes, the semicolon or tab that spreadsheets of some countries write.</summary>
    private static string DelimiterOf(string path)
    {
        using var text = DatasetFile.OpenText(path);
        var seen = new HashSet<char>();
        bool isQuoted = false, mayOpen = true;
        int next;
        while ((next = text.Read()) >= 0 && (isQuoted || next is not ('\n' or '\r')))
        {
            // A quote opens a cell at its start only; a doubled one inside closes and opens again.
            var closes = isQuoted && next == '"';
            if (next == '"') isQuoted = !isQuoted && mayOpen;
            var isDelimiter = next is ',' or ';' or '\t';
            if (isDelimiter && !isQuoted) seen.Add((char)next);
            mayOpen = isDelimiter || closes;
        }
        return seen.Contains(',') ? "," : seen.Contains(';') ? ";" : seen.Contains('\t') ? "\t" : ",";
    }

    private sealed class Streamed(string path, DatasetReadOptions options, (string, CsvMode) dialect) : RowReader(path)
    {
        internal override bool HasCellsOfText => true;

        internal override IEnumerable<SourceRow> Rows(BadRowSink bad, IReadOnlyCollection<string>? columns = null)
        {
            using var rows = new DelimitedRows(Path, options, dialect, bad, LongestCell);
            foreach (var (place, cells) in rows.All())
            {
                Share = rows.Length == 0 ? 1 : (double)rows.Position / rows.Length;
                yield return new SourceRow(place, rows.Names!, cells);
            }
        }
    }
}
