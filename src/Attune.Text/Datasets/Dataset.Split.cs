namespace Attune.Datasets;

public sealed partial class Dataset
{
    /// <summary>Splits the rows at random into "train" and "test".</summary>
    /// <param name="testSize">Share of the rows for "test", above 0 and below 1, rounded up to a row. Default 0.25, as in Hugging Face.</param>
    /// <param name="seed">The same seed gives the same split everywhere; it is not numpy's, and so not Hugging Face's.</param>
    /// <param name="stratifyByColumn">
    /// A column whose values shall have the same shares in both (usually the label). Rows are handed out per value by the largest
    /// remainder, so no value is off by a whole row.
    /// </param>
    /// <exception cref="AttuneException">The share is out of range, a part would be empty, or there is no such column.</exception>
    public DatasetDict TrainTestSplit(double testSize = 0.25, long seed = 42, string? stratifyByColumn = null)
    {
        if (testSize is not (> 0 and < 1))
            throw new AttuneException($"The test share is {testSize}; it must lie between 0 and 1, such as 0.1.");
        // The last digits of a product such as 0.07 * 100 are noise; they must not round up to a further row.
        var testRows = (int)Math.Ceiling(Math.Round(NumRows * testSize, 9));
        if (testRows == 0 || testRows >= NumRows)
            throw new AttuneException($"A share of {testSize} of {NumRows} rows leaves a part empty; choose another share or give more rows.");
        var order = SeededOrder.Permutation(NumRows, (ulong)seed);
        var test = stratifyByColumn is null ? [.. order.Take(testRows)] : Stratified(order, testRows, stratifyByColumn);
        var inTest = test.ToHashSet();
        return new DatasetDict(new Dictionary<string, Dataset>
        {
            [DatasetDict.Train] = Select(order.Where(row => !inTest.Contains(row))),
            [DatasetDict.Test] = Select(order.Where(inTest.Contains)),
        });
    }

    /// <summary>Numbers of so many rows, the first of each value of a column, so that the values have the shares that they have in all rows; in their order.</summary>
    internal IEnumerable<int> FirstInProportion(int count, string column) => Stratified([.. Enumerable.Range(0, NumRows)], count, column).Order();

    private List<int> Stratified(int[] order, int testRows, string column)
    {
        var values = CastColumn(column, FeatureType.String).Column<string?>(column);
        var groups = order.GroupBy(row => values[row] ?? "").OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => group.ToList()).ToList();
        var exact = groups.ConvertAll(group => (double)group.Count * testRows / NumRows);
        var taken = exact.ConvertAll(share => (int)share);
        var byRemainder = Enumerable.Range(0, groups.Count).OrderByDescending(i => exact[i] - taken[i]).Take(testRows - taken.Sum());
        foreach (var i in byRemainder) taken[i]++;
        return [.. groups.Zip(taken, (group, count) => group.Take(count)).SelectMany(rows => rows)];
    }
}
