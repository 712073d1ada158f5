using System.Globalization;
using Attune.Datasets;

namespace Attune.Batching;

/// <summary>One of several like parts of the rows, which is evaluated while the others are trained on.</summary>
/// <param name="Number">Which one, from 1.</param>
/// <param name="Count">How many there are.</param>
internal sealed record Fold(int Number, int Count)
{
    /// <summary>As arguments name it: 2/5 is the second of five.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Number}/{Count}");

    /// <exception cref="AttuneException">It is none.</exception>
    internal static Fold Parse(string text) => text.Split('/') is [var number, var count]
        && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var which)
        && int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var all) && all >= 2 && which >= 1 && which <= all
            ? new Fold(which, all)
            : throw new AttuneException($"fold is {text}; give its number and how many there are, such as 2/5 for the second of five.");

    /// <summary>The texts to train on and those to evaluate, both in their old order; of a long text all windows are on one side.</summary>
    /// <remarks>
    /// The rows are put in a random order, then sorted by their class, and dealt out one by one: so the folds' sizes, and how often each class
    /// is in them, differ by at most one. Rows of several labels or of numbers are dealt out in random order alone.
    /// </remarks>
    /// <param name="rows">All.</param>
    /// <param name="seed">Of the order.</param>
    /// <param name="mostEvaluated">Of those to evaluate the first so many; null for all.</param>
    /// <exception cref="AttuneException">There are fewer rows than folds.</exception>
    internal (TokenizedDataset Train, TokenizedDataset Evaluated) Cut(TokenizedDataset rows, long seed, int? mostEvaluated = null)
    {
        var evaluated = Evaluated(rows, seed, mostEvaluated: null);
        var apart = evaluated.ToHashSet();
        return (rows.Select([.. Enumerable.Range(0, rows.Texts).Where(row => !apart.Contains(row))]), rows.Select([.. evaluated.Take(mostEvaluated ?? int.MaxValue)]));
    }

    /// <summary>The numbers of the texts to evaluate, ascending.</summary>
    /// <inheritdoc cref="Cut"/>
    internal int[] Evaluated(TokenizedDataset rows, long seed, int? mostEvaluated)
    {
        if (rows.Texts < Count) throw new AttuneException($"The training set has {rows.Texts} texts, too few for {Count} folds; ask for fewer.");
        var order = SeededOrder.Permutation(rows.Texts, unchecked((ulong)seed));
        if (rows.TextLabels is ClassLabels classes) order = [.. order.OrderBy(row => classes.Values[row])];
        var folds = new int[rows.Texts];
        foreach (var (place, row) in order.Index()) folds[row] = place % Count + 1;
        return [.. Enumerable.Range(0, rows.Texts).Where(row => folds[row] == Number).Take(mostEvaluated ?? int.MaxValue)];
    }
}
