using Attune.Datasets;

namespace Attune.Cli;

/// <summary>A text to read, or a pair of texts.</summary>
internal sealed record TextInput(string Text, string? Pair)
{
    /// <summary>Its number in the file, from 1.</summary>
    internal int Row { get; init; }

    /// <summary>The cells of the columns that are carried over.</summary>
    internal IReadOnlyList<object?> Kept { get; init; } = [];
}

/// <summary>Texts as they come, and what is known of them.</summary>
/// <param name="All">The texts, which can be read once.</param>
/// <param name="ArePairs">Whether each is a pair.</param>
internal sealed record InputTexts(IEnumerable<TextInput> All, bool ArePairs)
{
    /// <summary>Where they come from, for messages.</summary>
    internal string Source { get; init; } = "Standard input";

    /// <summary>The columns that they stand in.</summary>
    internal IReadOnlyList<string> Columns { get; init; } = [];

    /// <summary>The columns that are carried over; null for the texts themselves.</summary>
    internal IReadOnlyList<string>? Kept { get; init; }

    /// <summary>Whether all cells of these are texts, so that "7" may be a number.</summary>
    internal bool AreCellsText { get; init; }

    /// <summary>How much of them has been read, from 0 to 1; null where nobody knows.</summary>
    internal Func<double>? Share { get; init; }
}

/// <summary>Texts from the command line, from lines, or from a file.</summary>
internal static class TextInputs
{
    /// <summary>Stands for the names of all columns.</summary>
    internal const string AllColumns = "all";

    private const char PairSeparator = '\t';

    /// <summary>The words of a command line.</summary>
    internal static IEnumerable<TextInput> OfWords(IReadOnlyList<string> words, bool arePairs) =>
        words.Select((word, i) => arePairs ? Pair(word, $"Text {i + 1}") : new TextInput(word, null));

    /// <summary>The lines of standard input, as they come.</summary>
    /// <param name="terminal">Gives them.</param>
    /// <param name="arePairs">Whether each is a pair of texts.</param>
    /// <param name="orFile">Whether the verb takes a file too, for the message.</param>
    /// <exception cref="AttuneException">There is no line, a line is not UTF-8, or it is no pair where pairs are asked for.</exception>
    internal static IEnumerable<TextInput> OfLines(Terminal terminal, bool arePairs, bool orFile)
    {
        var number = 0;
        while (terminal.In.ReadLine() is { } line)
        {
            number++;
            if (number == 1) line = line.TrimStart('\uFEFF');
            if (line.Contains(Terminal.Invalid, StringComparison.Ordinal))
                throw new AttuneException($"Standard input, line {number}: the bytes are not UTF-8; convert the text to UTF-8.");
            yield return arePairs ? Pair(line, $"Standard input, line {number}") : new TextInput(line, null);
        }
        if (number == 0) throw new AttuneException($"There is no text: give texts as words, {(orFile ? "by --file, " : "")}or one a line on standard input.");
    }

    /// <summary>The rows of a data file, as they are read.</summary>
    /// <param name="file">The file.</param>
    /// <param name="what">Which columns, and what becomes of rows that cannot be used.</param>
    /// <param name="tell">Takes what is said of them.</param>
    /// <exception cref="AttuneException">The file cannot be read or has no such column.</exception>
    internal static InputTexts OfFile(string file, PredictArguments what, Action<string> tell)
    {
        Parquet.ParquetDataset.Register();
        var reading = what.Reading(tell);
        var texts = StreamedTexts.Open(file, what.TextColumnNames, what.TextColumnDelimiter, reading);
        var kept = Kept(file, what.KeepColumns, texts.ColumnNames);
        var keepsAll = what.KeepColumns is [AllColumns];
        if (texts.TextColumns.Count > 0) tell(ClassificationColumns.Known(texts.TextColumns, null, TaskKind.SingleLabel, null, [],
            new ClassificationOptions { TextColumnNames = what.TextColumnNames, TextColumnDelimiter = what.TextColumnDelimiter, Reading = reading }).Describe());
        return new InputTexts(Rows(), texts.IsPair)
        {
            Source = file,
            Columns = texts.TextColumns,
            Kept = kept,
            AreCellsText = texts.HasCellsOfText,
            Share = () => texts.Share,
        };

        IEnumerable<TextInput> Rows()
        {
            var late = keepsAll ? new LateColumns(texts.ColumnNames, tell) : null;
            foreach (var (text, pair, row) in texts.All(keepsAll ? null : kept ?? []))
            {
                late?.Look(row);
                yield return new TextInput(text, pair) { Row = row.Place.Row, Kept = kept is null ? [] : [.. kept.Select(column => row[column])] };
            }
        }
    }

    private static IReadOnlyList<string>? Kept(string file, IReadOnlyList<string>? wanted, IReadOnlyList<string> columns)
    {
        if (wanted is [AllColumns]) return columns;
        if (wanted?.FirstOrDefault(name => !columns.Contains(name)) is { } absent)
            throw new AttuneException($"{file}: there is no column \"{absent}\" among {string.Join(", ", columns)}; name those to keep by --keep-columns, or all.");
        return wanted;
    }

    private static TextInput Pair(string text, string place) => text.Split(PairSeparator) is [var first, var second]
        ? new TextInput(first, second)
        : throw new AttuneException($"{place}: a pair is two texts with one tab between them; correct it, or leave --pairs out.");

    /// <summary>Tells once of a column that none of the first rows had.</summary>
    private sealed class LateColumns(IReadOnlyList<string> known, Action<string> tell)
    {
        private readonly HashSet<string> _known = new(known, StringComparer.Ordinal);
        private IReadOnlyList<string>? _last;

        internal void Look(SourceRow row)
        {
            if (row.Names == _last) return;                                // of CSV and Parquet the names are one list for all rows
            _last = row.Names;
            foreach (var name in row.Names)
                if (_known.Add(name)) tell($"{row.Place}: the column \"{name}\" stands in none of the first {StreamedTexts.RowsLookedAt} rows, and is left out of the answers; move a row that has it to the front to keep it.");
        }
    }
}
