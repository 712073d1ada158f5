namespace Attune.Batching;

/// <summary>Batches of a data set's rows.</summary>
public static class DatasetBatches
{
    /// <summary>Packs some of the rows into a batch.</summary>
    /// <param name="dataset">The rows.</param>
    /// <param name="rows">Their numbers, in the order of the batch.</param>
    /// <param name="firstRowNumber">Number of the first of them within its optimizer update; dropout is keyed by it.</param>
    public static Batch Batch(this TokenizedDataset dataset, ReadOnlySpan<int> rows, int firstRowNumber = 0)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        var selected = new TokenizedRow[rows.Length];
        for (var i = 0; i < rows.Length; i++) selected[i] = dataset.Rows[rows[i]];
        return Batching.Batch.Pack(selected, dataset.Labels?.Select(rows), firstRowNumber);
    }
}
