namespace Attune.Kernels;

/// <summary>Where the rows of a batch lie among its tokens, and which of their tokens are attended to.</summary>
/// <remarks>
/// The tokens of row r are those from <c>Offsets[r]</c> up to <c>Offsets[r + 1]</c>. All of them are keys, except that the first is not where
/// <c>FirstIsHidden[r]</c>: the column that the head reads although the attention mask hides it (left padding).
/// </remarks>
internal sealed class Sequences
{
    internal Sequences(int[] offsets, bool[]? firstIsHidden, int firstRowNumber)
    {
        (Offsets, FirstIsHidden, FirstRowNumber) = (offsets, firstIsHidden, firstRowNumber);
        var (rowOfToken, indexInRow) = (new int[Tokens], new int[Tokens]);
        for (var row = 0; row < Rows; row++)
            for (var token = offsets[row]; token < offsets[row + 1]; token++)
                (rowOfToken[token], indexInRow[token]) = (firstRowNumber + row, token - offsets[row]);
        AllTokens = new Lines(rowOfToken, indexInRow);
        FirstTokens = new Lines([.. Enumerable.Range(firstRowNumber, Rows)], new int[Rows]);
    }

    internal int[] Offsets { get; }

    internal bool[]? FirstIsHidden { get; }

    /// <summary>Number, within the update, of the batch's first row.</summary>
    internal int FirstRowNumber { get; }

    internal int Rows => Offsets.Length - 1;

    internal int Tokens => Offsets[^1];

    /// <summary>The lines of a matrix with one line for each token.</summary>
    internal Lines AllTokens { get; }

    /// <summary>The lines of a matrix with one line for each row's first token.</summary>
    internal Lines FirstTokens { get; }

    internal int Length(int row) => Offsets[row + 1] - Offsets[row];

    /// <summary>Number of the row's tokens before its first key: 0 or 1.</summary>
    internal int FirstKey(int row) => FirstIsHidden is not null && FirstIsHidden[row] ? 1 : 0;

    /// <summary>What the lines of a matrix stand for: the row's number in the update and the token's index in its row.</summary>
    internal readonly record struct Lines(int[] RowNumber, int[] IndexInRow)
    {
        internal int Count => RowNumber.Length;
    }
}
