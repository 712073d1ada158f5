namespace Attune.Batching;

/// <summary>In which order the epochs of a run visit the rows. Any epoch can be asked for at any time: nothing is remembered.</summary>
public sealed class Sampler
{
    private readonly Func<int, int[]> _order;

    private Sampler(int rows, Func<int, int[]> order)
    {
        Rows = rows;
        _order = order;
    }

    /// <summary>How many rows there are; each epoch visits each once.</summary>
    public int Rows { get; }

    /// <summary>A new random order every epoch: epoch e is <c>torch.randperm</c> with the seed + e, as in the Trainer of transformers.</summary>
    /// <param name="rows">How many rows there are.</param>
    /// <param name="seed"><c>data_seed</c> where it is given, else <c>seed</c>.</param>
    public static Sampler Random(int rows, long seed) =>
        new(rows, epoch => RandomOrder.Permutation(rows, unchecked(seed + epoch)));

    /// <summary>Random, with rows of like length together: <see cref="LengthGroupedOrder"/>.</summary>
    /// <param name="lengths">Tokens of each row.</param>
    /// <param name="rowsPerUpdate">Batch size times accumulation steps.</param>
    /// <param name="seed">The run's <c>seed</c>.</param>
    public static Sampler GroupedByLength(IReadOnlyList<int> lengths, int rowsPerUpdate, long seed) =>
        new(lengths.Count, epoch => LengthGroupedOrder.Epoch(lengths, rowsPerUpdate, seed, epoch));

    /// <summary>The order of the data set, as for evaluation.</summary>
    public static Sampler InOrder(int rows) => new(rows, _ => [.. Enumerable.Range(0, rows)]);

    /// <summary>The rows of an epoch (from 0) one after the other.</summary>
    public int[] Order(int epoch) => _order(epoch);

    /// <summary>The rows of an epoch (from 0) cut into batches; the last may be smaller, or is left out with <paramref name="dropLast"/>.</summary>
    public IReadOnlyList<int[]> Batches(int epoch, int batchSize, bool dropLast = false)
    {
        var batches = Order(epoch).Chunk(batchSize).ToList();
        if (dropLast && batches.Count > 0 && batches[^1].Length < batchSize) batches.RemoveAt(batches.Count - 1);
        return batches;
    }
}
