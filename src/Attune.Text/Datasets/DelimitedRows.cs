using System.Globalization;
using CsvHelper;
using CsvHelper.Configuration;

namespace Attune.Datasets;

/// <summary>The records of a CSV or TSV file one after the other, and the names that the first of them gives the columns.</summary>
internal sealed class DelimitedRows : IDisposable
{
    private readonly string _path, _delimiter;
    private readonly DatasetReadOptions _options;
    private readonly BadRowSink _bad;
    private readonly StreamReader _text;
    private readonly CsvParser _parser;
    private bool _isMalformed;

    /// <param name="path">The file.</param>
    /// <param name="options">Header, names of columns, and who is told what was assumed.</param>
    /// <param name="dialect">How cells are separated and quoted.</param>
    /// <param name="bad">Takes the rows that cannot be used.</param>
    /// <param name="longestCell">Characters of a cell at most; 0 for any number.</param>
    internal DelimitedRows(string path, DatasetReadOptions options, (string Delimiter, CsvMode Mode) dialect, BadRowSink bad, int longestCell = 0)
    {
        (_path, _options, _delimiter, _bad, _text) = (path, options, dialect.Delimiter, bad, DatasetFile.OpenText(path));
        _parser = new CsvParser(_text, new CsvConfiguration(CultureInfo.InvariantCulture)
        {
            Delimiter = dialect.Delimiter,
            Mode = dialect.Mode,
            MaxFieldSize = longestCell,
            // Called for every cell with a quote out of place; in a cell that does not begin with one it is plain text.
            BadDataFound = cell => _isMalformed |= cell.Field.StartsWith('"'),
        });
    }

    /// <summary>The columns; null before the first record is read.</summary>
    internal IReadOnlyList<string>? Names { get; private set; }

    /// <summary>Rows so far, those that cannot be used included.</summary>
    internal int Count { get; private set; }

    /// <summary>Bytes read from the file so far.</summary>
    internal long Position => _text.BaseStream.Position;

    /// <summary>Size of the file in bytes.</summary>
    internal long Length => _text.BaseStream.Length;

    /// <summary>The rows that can be used.</summary>
    /// <exception cref="AttuneException">The columns cannot be named, or a cell has no end.</exception>
    internal IEnumerable<(RowPlace Place, string[] Cells)> All()
    {
        while (Read())
        {
            _isMalformed = false;
            var (cells, raw) = (_parser.Record!, _parser.RawRecord);
            // At the end of the file the parser takes a doubled quote for a closing one.
            if (raw.EndsWith('"') && _parser.Configuration.Mode == CsvMode.RFC4180 && EndsInQuotes(raw, _delimiter[0])) _isMalformed = true;
            if (Names is null)
            {
                var isHeader = IsHeader(cells, _options);
                Names = isHeader ? NamesFrom(_path, cells) : NamesFor(_path, cells, _options);
                if (isHeader && !_isMalformed) continue;
            }
            var place = new RowPlace(_path, ++Count, _parser.RawRow - LineBreaksInside(raw, _isMalformed && cells[^1].EndsWith('\n')));
            if (_isMalformed)
                _bad(place, "a quoted cell is not closed, or goes on after its closing quote", "write a quote inside a quoted cell twice", raw);
            else if (raw.Contains(DatasetFile.Invalid))
                _bad(place, "the row is not valid UTF-8", "save the file as UTF-8", raw);
            else if (cells.Length != Names.Count)
                _bad(place, $"the row has {cells.Length} fields, not the {Names.Count} of the first line", FieldsRemedy(_delimiter), raw);
            else
                yield return (place, cells);
        }
    }

    public void Dispose()
    {
        _parser.Dispose();
        _text.Dispose();
    }

    private bool Read()
    {
        try
        {
            return _parser.Read();
        }
        catch (MaxFieldSizeException e)
        {
            throw new AttuneException(
                $"{_path}, row {Count + 1} (line {_parser.RawRow}): a cell is longer than {_parser.Configuration.MaxFieldSize} characters; close the quote that opens it, or split the file.", e);
        }
    }

    /// <summary>Whether a text ends inside a quoted cell. A quote opens a cell at its start only; a doubled one inside closes and opens again.</summary>
    private static bool EndsInQuotes(string record, char delimiter)
    {
        bool isQuoted = false, mayOpen = true;
        foreach (var letter in record)
        {
            var closes = isQuoted && letter == '"';
            if (letter == '"') isQuoted = !isQuoted && mayOpen;
            mayOpen = letter == delimiter || closes;
        }
        return isQuoted;
    }

    // The parser counts to the line on which a record ends; a quote left open swallows the last line break of the file too.
    private static int LineBreaksInside(string record, bool isOpen) =>
        (isOpen ? record : record.AsSpan().TrimEnd("\r\n")).Count('\n');

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
}
