namespace Attune.Datasets;

/// <summary>A text of a file, or a pair, with the row it stands in.</summary>
internal sealed record StreamedText(string Text, string? Pair, SourceRow Row);

/// <summary>The texts of a file, row by row: which columns they are in is found from the first rows.</summary>
internal sealed class StreamedTexts
{
    /// <summary>Rows that are looked at to find the columns.</summary>
    internal const int RowsLookedAt = 1000;

    private readonly string _path, _joinedBy;
    private readonly DatasetReadOptions _options;
    private readonly RowReader _reader;

    private StreamedTexts(RowReader reader, IReadOnlyList<string> columns, IReadOnlyList<string> texts, string? delimiter, DatasetReadOptions options)
    {
        (_path, _reader, _options, _joinedBy) = (reader.Path, reader, options, delimiter ?? " ");
        (ColumnNames, TextColumns, IsPair) = (columns, texts, texts.Count == 2 && delimiter is null);
    }

    /// <summary>The columns of the first rows.</summary>
    internal IReadOnlyList<string> ColumnNames { get; }

    /// <summary>Those with the texts: one, two for pairs, or several that are joined.</summary>
    internal IReadOnlyList<string> TextColumns { get; }

    /// <summary>Whether each row is a pair of texts.</summary>
    internal bool IsPair { get; }

    /// <summary>Whether all cells of the file are texts, so that "7" may be a number.</summary>
    internal bool HasCellsOfText => _reader.HasCellsOfText;

    /// <summary>How much of the file has been read, from 0 to 1.</summary>
    internal double Share => _reader.Share;

    /// <summary>Opens a file and finds its texts.</summary>
    /// <param name="path">The file.</param>
    /// <param name="names">The columns of the texts; null for those of the usual names.</param>
    /// <param name="delimiter">Joins several columns to one text; null where two are a pair.</param>
    /// <param name="options">How the file is read.</param>
    /// <exception cref="AttuneException">The file cannot be read, has no rows or no such columns.</exception>
    internal static StreamedTexts Open(string path, IReadOnlyList<string>? names, string? delimiter, DatasetReadOptions options)
    {
        // What is wrong with a row, and what is assumed, is told when the rows are read for good.
        var quiet = DatasetFile.OpenRows(path, options with { Warn = null });
        var isEmpty = true;
        var columns = new OrderedDictionary<string, SeenCells>(StringComparer.Ordinal);
        foreach (var row in Guarded(quiet, (_, _, _, _) => isEmpty = false).Take(RowsLookedAt))
        {
            for (var i = 0; i < row.Names.Count; i++)
            {
                if (!columns.TryGetValue(row.Names[i], out var seen)) columns.Add(row.Names[i], seen = new SeenCells());
                seen.Add(row.Values[i]);
            }
        }
        if (columns.Count == 0 && isEmpty) throw DatasetFile.Empty(path);
        var texts = names ?? UsualColumns.FindTexts(columns.Keys, name => columns[name].AreTexts(quiet.HasCellsOfText), UsualColumns.FindLabel(columns.Keys, null));
        // Where none of the first rows can be used, the first of them says why as soon as it is read.
        if (columns.Count > 0)
        {
            if (texts is null) throw ClassificationColumns.Absent($"{path}: ", columns.Keys, "text", null, "--text-column-names");
            foreach (var text in texts)
                if (!columns.ContainsKey(text)) throw ClassificationColumns.Absent($"{path}: ", columns.Keys, "text", text, "--text-column-names");
        }
        return new StreamedTexts(DatasetFile.OpenRows(path, options), [.. columns.Keys], texts ?? [], delimiter, options);
    }

    /// <summary>Reads the texts from the beginning of the file.</summary>
    /// <param name="others">Further columns that the rows are to have; null for all.</param>
    /// <exception cref="AttuneException">A row cannot be used and must not be left out, or the file cannot be read.</exception>
    internal IEnumerable<StreamedText> All(IReadOnlyList<string>? others)
    {
        using var bad = new StreamedBadRows(_path, _options);
        var good = 0L;
        foreach (var row in Guarded(_reader, bad.Add, others is null ? null : [.. TextColumns.Union(others)]))
        {
            if (TextOf(row, bad) is not { } text) continue;
            good++;
            yield return text;
        }
        if (good + bad.Count == 0) throw DatasetFile.Empty(_path);
        bad.Finish(good + bad.Count);
        if (good == 0) throw DatasetFile.Empty(_path);
    }

    private StreamedText? TextOf(SourceRow row, StreamedBadRows bad)
    {
        var texts = new string[TextColumns.Count];
        for (var i = 0; i < texts.Length; i++)
        {
            var cell = row[TextColumns[i]];
            var text = cell is null or Array ? null : ColumnBuilder.ToText(cell);
            if ((cell is Array ? ($"there is a list in the column \"{TextColumns[i]}\"", "make it one text") : ClassificationColumns.WrongText(text, TextColumns[i])) is var (reason, remedy))
            {
                bad.Add(row.Place, reason, remedy, _options.OnBadRow == BadRowPolicy.Quarantine ? SplitBadRows.TextOf(row.Names, row.Values) : null);
                return null;
            }
            texts[i] = text!;
        }
        return IsPair ? new StreamedText(texts[0], texts[1], row) : new StreamedText(texts.Length == 1 ? texts[0] : string.Join(_joinedBy, texts), null, row);
    }

    /// <summary>The rows, with a sentence for what the disk does.</summary>
    private static IEnumerable<SourceRow> Guarded(RowReader reader, BadRowSink bad, IReadOnlyCollection<string>? columns = null)
    {
        using var rows = Try(() => reader.Rows(bad, columns).GetEnumerator());
        while (Try(rows.MoveNext)) yield return rows.Current;

        T Try<T>(Func<T> read)
        {
            try
            {
                return read();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw DatasetFile.Unreadable(reader.Path, e);
            }
        }
    }

    /// <summary>What the cells of a column have been so far.</summary>
    private sealed class SeenCells
    {
        private bool _isOther, _isWord, _isNumber;

        internal void Add(object? cell)
        {
            if (cell is not (null or string)) _isOther = true;
            else if (cell is string { Length: > 0 } text && !_isWord) (_isWord, _isNumber) = CellTypes.IsNumber(text) ? (false, true) : (true, _isNumber);
        }

        /// <summary>Whether they are texts; of cells that are texts all, whether not all are numbers.</summary>
        internal bool AreTexts(bool mayBeNumbers) => !_isOther && !(mayBeNumbers && _isNumber && !_isWord);
    }
}
