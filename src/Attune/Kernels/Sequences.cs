namespace Attune.Kernels;

/// <summary>Where the rows of a batch lie among its tokens, and which of their tokens are attended to.</summary>
/// <remarks>
/// The tokens of row r are those from <c>Offsets[r]</c> up to <c>Offsets[r + 1]</c>. All of them are keys, except that the first is not where
/// <c>FirstIsHidden[r]</c>: the column that the head reads although the attention mask hides it (left padding). A model that reads more of
/// such a row has it whole, with its padding, and <c>Hidden</c> says which of its tokens the mask hides.
/// </remarks>
internal sealed class Sequences
{
    internal Sequences(int[] offsets, bool[]? firstIsHidden, int firstRowNumber, int[]? columns = null, bool[]? hidden = null)
    {
        (Offsets, FirstIsHidden, FirstRowNumber, Hidden) = (offsets, firstIsHidden, firstRowNumber, hidden);
        var (rowOfToken, indexInRow) = (new int[Tokens], new int[Tokens]);
        for (var row = 0; row < Rows; row++)
            for (var token = offsets[row]; token < offsets[row + 1]; token++)
                (rowOfToken[token], indexInRow[token]) = (firstRowNumber + row, token - offsets[row]);
        AllTokens = new Lines(rowOfToken, indexInRow);
        FirstTokens = new Lines([.. Enumerable.Range(firstRowNumber, Rows)], new int[Rows]);
        Columns = columns ?? indexInRow;
    }

    internal int[] Offsets { get; }

    internal bool[]? FirstIsHidden { get; }

    /// <summary>Whether the mask hides each token (T), where rows are kept whole; null where no row is.</summary>
    internal bool[]? Hidden { get; }

    /// <summary>Column of each token in the padded batch (T), ascending in each row.</summary>
    internal int[] Columns { get; }

    /// <summary>Number, within the update, of the batch's first row.</summary>
    internal int FirstRowNumber { get; }

    internal int Rows => Offsets.Length - 1;

    internal int Tokens => Offsets[^1];

    /// <summary>Whether there is a token that is no key.</summary>
    internal bool IsAnyHidden => FirstIsHidden is not null || Hidden is not null;

    /// <summary>Whether a row leaves a column out between its first token and its last.</summary>
    internal bool HasHoles => Enumerable.Range(0, Rows).Any(row => Span(row) >= Length(row));

    /// <summary>The lines of a matrix with one line for each token.</summary>
    internal Lines AllTokens { get; }

    /// <summary>The lines of a matrix with one line for each row's first token.</summary>
    internal Lines FirstTokens { get; }

    internal int Length(int row) => Offsets[row + 1] - Offsets[row];

    /// <summary>Columns from the row's first token to its last.</summary>
    internal int Span(int row) => Columns[Offsets[row + 1] - 1] - Columns[Offsets[row]];

    /// <summary>The largest <see cref="Span"/>.</summary>
    internal int LongestSpan => Enumerable.Range(0, Rows).Max(Span);

    /// <summary>Number of the row's tokens before its first key: 0 or 1.</summary>
    internal int FirstKey(int row) => FirstIsHidden is not null && FirstIsHidden[row] ? 1 : 0;

    /// <summary>Whether the mask hides a token of this row that is a key all the same, and so has to be left out one by one.</summary>
    internal bool HasHiddenKeys(int row) => Hidden is not null && Hidden.AsSpan(Offsets[row]..Offsets[row + 1]).Contains(true);

    /// <summary>Makes the lines of tokens that the mask hides zero, in rows that are kept whole.</summary>
    /// <param name="x">One line for each token.</param>
    /// <param name="width">Of a line.</param>
    internal unsafe void ClearHidden(float* x, int width)
    {
        if (Hidden is null) return;
        for (var token = 0; token < Tokens; token++)
            if (Hidden[token]) new Span<float>(x + (long)token * width, width).Clear();
    }

    /// <summary>What the lines of a matrix stand for: the row's number in the update and the token's index in its row.</summary>
    internal readonly record struct Lines(int[] RowNumber, int[] IndexInRow)
    {
        internal int Count => RowNumber.Length;
    }
}
