namespace Attune.Batching;

/// <summary>Random order that brings rows of like length together: <c>group_by_length</c> of transformers.</summary>
/// <remarks>
/// The rows are permuted and cut into groups of up to fifty batches; each group is sorted, longest row first. The longest row of all
/// changes places with the first one, so that a lack of memory shows in the first update.
/// </remarks>
public static class LengthGroupedOrder
{
    private const int MostBatchesInGroup = 50;

    /// <summary>The order of one pass over the rows.</summary>
    /// <param name="lengths">Tokens of each row.</param>
    /// <param name="batchSize">Rows of an update: batch size times accumulation steps.</param>
    /// <param name="generator">Gives the permutation and moves on by it.</param>
    /// <param name="batchesInGroup">Batches that are sorted together; null = a quarter of all, at least 1, at most 50.</param>
    internal static int[] Next(IReadOnlyList<int> lengths, int batchSize, TorchGenerator generator, int? batchesInGroup = null) =>
        Of(generator.Permutation(lengths.Count), lengths, batchSize, batchesInGroup);

    /// <summary>The rows of any order with those of like length together.</summary>
    /// <param name="order">The rows of an epoch, each as often as it comes.</param>
    /// <param name="lengths">Tokens of each row of the data set.</param>
    /// <param name="batchSize">Rows of an update: batch size times accumulation steps.</param>
    /// <param name="batchesInGroup">Batches that are sorted together; null = a quarter of all, at least 1, at most 50.</param>
    internal static int[] Of(int[] order, IReadOnlyList<int> lengths, int batchSize, int? batchesInGroup = null)
    {
        var groupSize = (long)batchSize * (batchesInGroup
            ?? (int)Math.Clamp(order.Length / (4L * batchSize), 1, MostBatchesInGroup));
        var groups = order
            .Chunk((int)Math.Min(groupSize, int.MaxValue))
            .Select(group => group.OrderByDescending(row => lengths[row]).ToArray())      // stable, as the original's sort
            .ToArray();
        if (groups.Length == 0) return [];

        var longest = groups.MaxBy(group => lengths[group[0]])!;                          // the first of equals
        (groups[0][0], longest[0]) = (longest[0], groups[0][0]);
        return [.. groups.SelectMany(group => group)];
    }

    /// <summary>The order of an epoch of the Trainer: a pure function of its arguments.</summary>
    /// <param name="lengths">Tokens of each row.</param>
    /// <param name="rowsPerUpdate">Batch size times accumulation steps.</param>
    /// <param name="seed">The run's <c>seed</c>; transformers takes it here even where <c>data_seed</c> is given.</param>
    /// <param name="epoch">From 0.</param>
    /// <remarks>Equal to transformers where nothing else draws from torch's global generator, that is, without dropout.</remarks>
    public static int[] Epoch(IReadOnlyList<int> lengths, int rowsPerUpdate, long seed, int epoch)
    {
        var generator = new TorchGenerator(seed);
        const long loaderDraw = 2;                                                        // one int64 at the start of each epoch
        var permutationDraws = Math.Max(0, lengths.Count - 1L);
        generator.Skip(epoch * (loaderDraw + permutationDraws) + loaderDraw);
        return Next(lengths, rowsPerUpdate, generator);
    }
}
