using Attune.Datasets;

namespace Attune.Batching;

/// <summary>
/// A random order of rows in pairs: two rows that follow each other in a text stand one after the other. Each epoch pairs a row with the one before it or the
/// one behind it; rows that are left over, one at most at each end of a text, stand in pairs that have nothing in common.
/// </summary>
internal static class NeighbourOrder
{
    /// <summary>The rows of an epoch, each once.</summary>
    /// <param name="textStarts">The first row of each text, and the number of rows at the end.</param>
    /// <param name="seed">Of the run.</param>
    /// <param name="epoch">From 0.</param>
    internal static int[] Epoch(int[] textStarts, long seed, int epoch)
    {
        var (texts, rows) = (textStarts.Length - 1, textStarts[^1]);
        var draw = unchecked((ulong)(seed + epoch));
        // Whether a text's first row is left over is drawn by its place in an order of all texts.
        var places = SeededOrder.Permutation(texts, draw);
        List<int> firsts = new(rows / 2), left = [];
        for (var text = 0; text < texts; text++)
        {
            var (row, end) = (textStarts[text], textStarts[text + 1]);
            if (places[text] % 2 == 1) left.Add(row++);
            for (; row + 1 < end; row += 2) firsts.Add(row);
            if (row < end) left.Add(row);
        }
        var others = left.ToArray();
        SeededOrder.Shuffle(others, draw + 1);
        var pairs = SeededOrder.Permutation(firsts.Count + others.Length / 2, draw + 2);
        var order = new int[rows];
        for (var i = 0; i < pairs.Length; i++)
        {
            var other = 2 * (pairs[i] - firsts.Count);
            (order[2 * i], order[2 * i + 1]) = other < 0 ? (firsts[pairs[i]], firsts[pairs[i]] + 1) : (others[other], others[other + 1]);
        }
        if (others.Length % 2 == 1) order[^1] = others[^1];
        return order;
    }
}
