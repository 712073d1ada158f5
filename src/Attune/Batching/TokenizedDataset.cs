namespace Attune.Batching;

/// <summary>Rows ready for a model: their tokens and, where they are known, their labels.</summary>
public sealed class TokenizedDataset
{
    /// <summary>Joins rows and labels.</summary>
    /// <param name="rows">In the order of the data set.</param>
    /// <param name="labels">One for each row; null where there are none.</param>
    /// <exception cref="ArgumentException">There are more or fewer labels than rows.</exception>
    public TokenizedDataset(IReadOnlyList<TokenizedRow> rows, Labels? labels = null)
    {
        ArgumentNullException.ThrowIfNull(rows);
        if (labels is not null && labels.Rows != rows.Count)
            throw new ArgumentException($"there are {rows.Count} rows and {labels.Rows} labels", nameof(labels));
        (Rows, Labels) = (rows, labels);
    }

    /// <summary>The rows.</summary>
    public IReadOnlyList<TokenizedRow> Rows { get; }

    /// <summary>Their labels, or null.</summary>
    public Labels? Labels { get; }

    /// <summary>Number of rows.</summary>
    public int Count => Rows.Count;

    /// <summary>Packs some of the rows into a batch.</summary>
    /// <param name="rows">Their numbers, in the order of the batch.</param>
    /// <param name="firstRowNumber">Number of the first of them within its optimizer update; dropout is keyed by it.</param>
    public Batch Batch(ReadOnlySpan<int> rows, int firstRowNumber = 0)
    {
        var selected = new TokenizedRow[rows.Length];
        for (var i = 0; i < rows.Length; i++) selected[i] = Rows[rows[i]];
        return Batching.Batch.Pack(selected, Labels?.Select(rows), firstRowNumber);
    }

    /// <summary>Tokens that a batch of these rows has when it is padded to its longest row.</summary>
    internal long PaddedTokens(ReadOnlySpan<int> rows)
    {
        var longest = 0;
        foreach (var row in rows) longest = Math.Max(longest, Rows[row].Length);
        return (long)longest * rows.Length;
    }
}
