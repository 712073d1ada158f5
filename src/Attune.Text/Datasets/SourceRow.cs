namespace Attune.Datasets;

/// <summary>A row of a data file as it stands there.</summary>
/// <param name="Place">Where.</param>
/// <param name="Names">The columns that the row has.</param>
/// <param name="Values">Their cells: of CSV and TSV files texts, else also numbers, truth values, lists of these, or null.</param>
internal sealed record SourceRow(RowPlace Place, IReadOnlyList<string> Names, IReadOnlyList<object?> Values)
{
    /// <summary>The cell of a column; null where the row has none. Of a key that comes twice the last counts, as in JSON.</summary>
    internal object? this[string column]
    {
        get
        {
            for (var i = Names.Count - 1; i >= 0; i--)
                if (Names[i] == column) return Values[i];
            return null;
        }
    }
}

/// <summary>Takes a row that cannot be used: where it is, what is wrong, what to do, and the row as it stands in the file if it can be had.</summary>
internal delegate void BadRowSink(RowPlace place, string reason, string remedy, string? text = null);
