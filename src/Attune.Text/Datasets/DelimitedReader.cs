using System.Globalization;
using CsvHelper;
using CsvHelper.Configuration;

namespace Attune.Datasets;

/// <summary>Reads CSV and TSV files: one row a record, the types of the columns found from their values.</summary>
/// <remarks>
/// Cells are kept as they stand: "NA" or "None" is text, not a missing value. An empty cell is a missing value in a column of numbers and an
/// empty text in one of text. A quote inside an unquoted cell is part of the text.
/// </remarks>
internal static class DelimitedReader
{
    internal static Dataset ReadCsv(string path, DatasetReadOptions options) => Read(path, options, options.Delimiter ?? DelimiterOf(path), CsvMode.RFC4180);

    internal static Dataset ReadTsv(string path, DatasetReadOptions options)
    {
        using var text = DatasetFile.OpenText(path);
        return Read(path, options, "\t", TsvQuoting.IsQuoted(text) ? CsvMode.RFC4180 : CsvMode.NoEscape);
    }

    private static Dataset Read(string path, DatasetReadOptions options, string delimiter, CsvMode mode)
    {
        var isMalformed = false;
        var configuration = new CsvConfiguration(CultureInfo.InvariantCulture)
        {
            Delimiter = delimiter,
            Mode = mode,
            // Called for every cell with a quote out of place; in a cell that does not begin with one it is plain text.
            BadDataFound = cell => isMalformed |= cell.Field.StartsWith('"'),
        };
        using var text = DatasetFile.OpenText(path);
        using var parser = new CsvParser(text, configuration);
        var bad = options.BadRowFiles.Begin(path, options);
        var places = new List<RowPlace>();
        TextList[]? columns = null;
        IReadOnlyList<string> names = [];
        var row = 0;
        while (parser.Read())
        {
            isMalformed = false;
            var cells = parser.Record!;
            if (columns is null)
            {
                var isHeader = IsHeader(cells, options);
                names = isHeader ? NamesFrom(path, cells) : NamesFor(path, cells, options);
                columns = [.. names.Select(_ => new TextList(options.CharactersInMemory))];
                if (isHeader && !isMalformed) continue;
            }
            var raw = parser.RawRecord;
            var place = new RowPlace(path, ++row, parser.RawRow - LineBreaksInside(raw, isMalformed && cells[^1].EndsWith('\n')));
            if (isMalformed)
                bad.Add(place, "a quoted cell is not closed, or goes on after its closing quote", "write a quote inside a quoted cell twice", raw);
            else if (raw.Contains(DatasetFile.Invalid))
                bad.Add(place, "the row is not valid UTF-8", "save the file as UTF-8", raw);
            else if (cells.Length != columns.Length)
                bad.Add(place, $"the row has {cells.Length} fields, not the {columns.Length} of the first line", FieldsRemedy(delimiter), raw);
            else
                Append(columns, cells, places, place);
        }
        bad.Finish(row);
        var typed = (columns ?? []).Select(column => CellTypes.Infer(column.Finish())).ToArray();
        return new Dataset(new Features(names.Zip(typed, (name, column) => KeyValuePair.Create(name, column.Type))), typed, places.Count, [.. places]);
    }

    // The parser counts to the line on which a record ends; a quote left open swallows the last line break of the file too.
    private static int LineBreaksInside(string record, bool isOpen) =>
        (isOpen ? record : record.AsSpan().TrimEnd("\r\n")).Count('\n');

    private static void Append(TextList[] columns, string[] cells, List<RowPlace> places, RowPlace place)
    {
        for (var i = 0; i < cells.Length; i++) columns[i].Add(cells[i]);
        places.Add(place);
    }

    private static string FieldsRemedy(string delimiter) => delimiter == "\t"
        ? "separate its cells by single tabs" : $"put quotes around a cell that contains \"{delimiter}\"";

    /// <summary>
    /// The first line names the columns unless a cell of it is a number; the numbers 0, 1, 2 ... are names. Where names are given for files
    /// without a header, it is one only if it says the same names or has another number of cells.
    /// </summary>
    private static bool IsHeader(string[] cells, DatasetReadOptions options)
    {
        if (options.Header is { } given) return given;
        var hasNumber = cells.Any(CellTypes.IsNumber) &&
            !(cells.Length > 1 && cells.Select((cell, i) => cell == i.ToString(CultureInfo.InvariantCulture)).All(same => same));
        return !hasNumber && (options.ColumnNames is not { } names || cells.Length != names.Count ||
            cells.SequenceEqual(names, StringComparer.OrdinalIgnoreCase));
    }

    private static string[] NamesFrom(string path, string[] header)
    {
        // An index column, as data frames are saved, has no name.
        var names = header.Select((name, i) => string.IsNullOrWhiteSpace(name) ? $"column{i + 1}" : name.Trim()).ToArray();
        if (names.GroupBy(name => name).FirstOrDefault(group => group.Count() > 1) is { Key: var twice })
            throw new AttuneException($"{path}, line 1: the column \"{twice}\" is named twice; give each column a name of its own, or, if that line is a row, put a line with the columns' names above it.");
        return names;
    }

    private static IReadOnlyList<string> NamesFor(string path, string[] cells, DatasetReadOptions options)
    {
        if (options.ColumnNames is { } given)
        {
            return given.Count == cells.Length ? given : throw new AttuneException(
                $"{path}, line 1: the row has {cells.Length} fields, but {given.Count} column names are given ({string.Join(", ", given)}); name every column.");
        }
        // The layout of the CoLA corpus (Warstadt et al.): source, 0 or 1, the authors' mark "*" or nothing, sentence.
        string[] names = cells is [_, "0" or "1", "" or "*", _] ? ["source", "label", "mark", "sentence"]
            : [.. cells.Select((_, i) => $"column{i + 1}")];
        options.Warn?.Invoke($"{path}: the first line holds a number, so it was read as a row and the columns named {string.Join(", ", names)}.");
        return names;
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
}
