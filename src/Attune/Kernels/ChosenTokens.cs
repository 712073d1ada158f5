namespace Attune.Kernels;

// Legend: T tokens, M chosen ones, R rows.

/// <summary>Some of a batch's tokens, whose states alone are wanted: the others are attended to, but ask nothing.</summary>
internal sealed class ChosenTokens
{
    /// <param name="sequences">The rows.</param>
    /// <param name="tokens">Places among all tokens, ascending.</param>
    internal ChosenTokens(Sequences sequences, int[] tokens)
    {
        (Tokens, Offsets) = (tokens, new int[sequences.Rows + 1]);
        var all = sequences.AllTokens;
        Lines = new(Array.ConvertAll(tokens, token => all.RowNumber[token]), Array.ConvertAll(tokens, token => all.IndexInRow[token]));
        for (var (row, i) = (0, 0); row < sequences.Rows; row++)
        {
            while (i < tokens.Length && tokens[i] < sequences.Offsets[row + 1]) i++;
            Offsets[row + 1] = i;
        }
    }

    /// <summary>Places among all tokens, M.</summary>
    internal int[] Tokens { get; }

    /// <summary>Of each row the first of its chosen tokens among all chosen ones, and M at the end.</summary>
    internal int[] Offsets { get; }

    /// <summary>What the lines of a matrix stand for that has one for each.</summary>
    internal Sequences.Lines Lines { get; }
}
