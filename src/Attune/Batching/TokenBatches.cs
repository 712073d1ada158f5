namespace Attune.Batching;

/// <summary>Batches by their tokens: each takes the rows that come next until one more would bring it above the most. A row that is longer by itself is a batch by itself.</summary>
/// <remarks>As <c>--max-tokens</c> of fairseq, but of real tokens: there the padding counts too.</remarks>
internal static class TokenBatches
{
    /// <summary>The first row of each batch, and the number of rows at the end.</summary>
    /// <param name="rows">How many there are.</param>
    /// <param name="length">Tokens of the row at a place.</param>
    /// <param name="most">Most tokens of a batch, at least 1.</param>
    internal static int[] Starts(int rows, Func<int, int> length, long most)
    {
        List<int> starts = [];
        var tokens = long.MaxValue / 2;                                    // so that the first row begins the first batch
        for (var row = 0; row < rows; row++)
        {
            var more = length(row);
            if (tokens + more > most)
            {
                starts.Add(row);
                tokens = 0;
            }
            tokens += more;
        }
        return [.. starts, rows];
    }
}
