namespace Attune.Batching;

/// <summary>
/// How many batches and updates the epochs of a run have where batches are made by tokens: each epoch has another order, and so another number of them. It is a pure function of the
/// order and the rows' lengths, so it is known before the run; an epoch is counted when it is first asked for.
/// </summary>
/// <param name="loader">Makes the batches.</param>
/// <param name="gradientAccumulationSteps">Batches of an update.</param>
internal sealed class EpochSizes(DataLoader loader, int gradientAccumulationSteps)
{
    private readonly List<int> _batches = [];
    private long _rows, _updates;

    /// <summary>Fewest and most rows of an update in the epochs asked for so far, and their mean.</summary>
    internal (int Least, int Most, double Mean) Rows { get; private set; } = (int.MaxValue, 0, 0);

    /// <summary>Batches of an epoch, from 0.</summary>
    internal int BatchesIn(long epoch)
    {
        while (_batches.Count <= epoch) _batches.Add(Count(_batches.Count));
        return _batches[(int)epoch];
    }

    private int Count(int epoch)
    {
        var starts = loader.Starts(epoch);
        var batches = starts.Length - 1;
        for (var first = 0; first < batches; first += gradientAccumulationSteps)
        {
            var rows = starts[Math.Min(first + gradientAccumulationSteps, batches)] - starts[first];
            (_rows, _updates) = (_rows + rows, _updates + 1);
            Rows = (Math.Min(Rows.Least, rows), Math.Max(Rows.Most, rows), _rows / (double)_updates);
        }
        return batches;
    }
}
