namespace Attune.Datasets;

/// <summary>The texts and labels of one split, ready to be tokenized.</summary>
/// <param name="Texts">The texts, or the first of each pair.</param>
/// <param name="Pairs">The second texts, or null.</param>
/// <param name="RowNumbers">The numbers (from 0) of these rows in the split they were taken from; bad rows left out are missing here.</param>
public sealed record ClassificationRows(IReadOnlyList<string> Texts, IReadOnlyList<string>? Pairs, IReadOnlyList<int> RowNumbers)
{
    /// <summary>The number of rows.</summary>
    public int Count => Texts.Count;

    /// <summary>Whether the texts are read from a file each time they are asked for, for they are too many for memory.</summary>
    internal bool AreStored { get; init; }

    /// <summary>Whether the rows have labels. A test split without them, or with -1 in every row, has none.</summary>
    public bool HasLabels => Classes is not null || ClassSets is not null || Targets is not null;

    /// <summary>The class numbers of a single-label task, else null.</summary>
    public IReadOnlyList<long>? Classes { get; init; }

    /// <summary>The class numbers of each row of a multi-label task, ascending, else null.</summary>
    public IReadOnlyList<int[]>? ClassSets { get; init; }

    /// <summary>The numbers of a regression task, else null.</summary>
    public IReadOnlyList<double>? Targets { get; init; }

    /// <summary>The sets of a multi-label task as 0 and 1, row after row.</summary>
    /// <param name="columns">The number of classes.</param>
    /// <returns>rows x columns values.</returns>
    public float[] MultiHot(int columns)
    {
        var values = new float[Count * columns];
        for (var row = 0; row < Count && ClassSets is not null; row++)
            foreach (var label in ClassSets[row]) values[row * columns + label] = 1;
        return values;
    }
}
