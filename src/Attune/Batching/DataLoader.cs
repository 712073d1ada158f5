namespace Attune.Batching;

/// <summary>The batches of a data set, epoch by epoch. Nothing is remembered: any epoch can be asked for at any time, and is the same each time.</summary>
/// <example><code>
/// var loader = new DataLoader(train, batchSize: 16, Sampler.Random(train.Count, seed: 42));
/// foreach (var batch in loader.Epoch(0)) using (var output = model.Forward(batch)) output.Backward();
/// </code></example>
public sealed class DataLoader
{
    /// <summary>Joins a data set and an order.</summary>
    /// <param name="dataset">The rows.</param>
    /// <param name="batchSize">Rows of a batch, at least 1.</param>
    /// <param name="sampler">The order of the rows; null takes that of the data set.</param>
    /// <param name="dropLast">Whether the last batch of an epoch is left out where it has fewer rows. Default false.</param>
    /// <exception cref="ArgumentException">The batch size is below 1.</exception>
    public DataLoader(TokenizedDataset dataset, int batchSize, Sampler? sampler = null, bool dropLast = false)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        (Dataset, BatchSize, Sampler, DropLast) = (dataset, batchSize, sampler ?? Sampler.InOrder(dataset.Count), dropLast);
    }

    /// <summary>The rows.</summary>
    public TokenizedDataset Dataset { get; }

    /// <summary>Rows of a batch.</summary>
    public int BatchSize { get; }

    /// <summary>The order of the rows.</summary>
    public Sampler Sampler { get; }

    /// <summary>Whether a smaller last batch is left out.</summary>
    public bool DropLast { get; }

    /// <summary>Most tokens of a batch, which then has as many rows as that allows (<see cref="TokenBatches"/>) and not <see cref="BatchSize"/>; null for batches of rows.</summary>
    internal long? MaxTokens { get; init; }

    /// <summary>Batches of an epoch.</summary>
    public int Count => (int)CountOf(Sampler.Rows, BatchSize, DropLast);

    /// <summary>The batches of an epoch (from 0).</summary>
    public IEnumerable<Batch> Epoch(int epoch) => Rows(epoch).Select(rows => Dataset.Batch(rows));

    /// <summary>The batches of each optimizer update of an epoch (from 0), whose gradients are added up; the last update may have fewer.</summary>
    /// <param name="epoch">From 0.</param>
    /// <param name="gradientAccumulationSteps">Batches of an update, at least 1.</param>
    /// <remarks>The rows of an update are numbered through, so that dropout, and so the result, does not depend on how it is cut into batches.</remarks>
    /// <example><code>
    /// foreach (var update in loader.Updates(epoch, 4))
    /// {
    ///     foreach (var batch in update) using (var output = model.Forward(batch)) output.Backward(1.0 / update.Count);
    ///     optimizer.Step();
    ///     optimizer.ZeroGrad();
    /// }
    /// </code></example>
    public IEnumerable<IReadOnlyList<Batch>> Updates(int epoch, int gradientAccumulationSteps) => RowsOfUpdates(epoch, gradientAccumulationSteps).Select(batches =>
    {
        var (update, first) = (new Batch[batches.Length], 0);
        for (var i = 0; i < batches.Length; i++)
        {
            update[i] = Dataset.Batch(batches[i], first);
            first += batches[i].Length;
        }
        return (IReadOnlyList<Batch>)update;
    });

    /// <summary>The numbers of the rows of each batch of an epoch (from 0).</summary>
    public IReadOnlyList<int[]> Rows(int epoch)
    {
        if (MaxTokens is null) return Sampler.Batches(epoch, BatchSize, DropLast);
        var order = Sampler.Order(epoch);
        var starts = Starts(order);
        return [.. starts.Zip(starts.Skip(1), (first, next) => order[first..next])];
    }

    /// <summary>Where the batches of an epoch (from 0) begin that are made by tokens, and the number of its rows at the end.</summary>
    internal int[] Starts(int epoch) => Starts(Sampler.Order(epoch));

    /// <summary>The same for each update.</summary>
    internal IEnumerable<int[][]> RowsOfUpdates(int epoch, int gradientAccumulationSteps) => Rows(epoch).Chunk(gradientAccumulationSteps);

    private int[] Starts(int[] order) => TokenBatches.Starts(order.Length, place => Dataset.Rows[order[place]].Length, MaxTokens!.Value);

    /// <summary>How many batches so many rows give.</summary>
    internal static long CountOf(int rows, int batchSize, bool dropLast) => dropLast ? rows / batchSize : ((long)rows + batchSize - 1) / batchSize;
}
