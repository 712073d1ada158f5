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

    /// <summary>How many rows there are, and how many an epoch visits: each once, unless rare classes come more often.</summary>
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

    /// <summary>
    /// Each class as often as every other: the rows of rare classes come several times in an epoch, those of frequent ones in turn over the
    /// epochs. An epoch has as many rows as the data set.
    /// </summary>
    /// <param name="labels">Classes of the rows; a row with several belongs to each of them.</param>
    /// <param name="seed"><c>data_seed</c> where it is given, else <c>seed</c>.</param>
    /// <exception cref="AttuneException">The labels are numbers.</exception>
    public static Sampler Balanced(Labels labels, long seed)
    {
        ArgumentNullException.ThrowIfNull(labels);
        var balance = new ClassBalance(labels);
        return new(labels.Rows, epoch => balance.Balanced(seed, epoch));
    }

    /// <summary>Every row drawn by itself, with replacement: each class as likely as every other, each row of a class as likely as the others.</summary>
    /// <inheritdoc cref="Balanced"/>
    public static Sampler Weighted(Labels labels, long seed)
    {
        ArgumentNullException.ThrowIfNull(labels);
        var balance = new ClassBalance(labels);
        return new(labels.Rows, epoch => balance.Weighted(seed, epoch));
    }

    /// <summary>Every row once, those in pairs that follow each other in a text: <see cref="NeighbourOrder"/>.</summary>
    /// <param name="textStarts">The first row of each text, and the number of rows at the end.</param>
    /// <param name="seed"><c>data_seed</c> where it is given, else <c>seed</c>.</param>
    internal static Sampler Neighbours(int[] textStarts, long seed) => new(textStarts[^1], epoch => NeighbourOrder.Epoch(textStarts, seed, epoch));

    /// <summary>The same rows in each epoch, with those of like length together, as <see cref="LengthGroupedOrder"/> puts them.</summary>
    /// <param name="lengths">Tokens of each row.</param>
    /// <param name="rowsPerUpdate">Batch size times accumulation steps.</param>
    public Sampler WithLengthsTogether(IReadOnlyList<int> lengths, int rowsPerUpdate) =>
        new(Rows, epoch => LengthGroupedOrder.Of(Order(epoch), lengths, rowsPerUpdate));

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
