using Attune.Datasets;

namespace Attune.Parquet;

/// <summary>Columns of text and integers, most of what a data set has, taken as they are: without an object for every cell.</summary>
internal static class TypedColumn
{
    /// <summary>A column of texts.</summary>
    internal static Column OfTexts(TextList texts) => new Column<string?>(FeatureType.String, texts.Finish());

    /// <summary>The column of integers, the same as <see cref="ColumnBuilder"/> makes of these cells; null where it has to look at them one by one.</summary>
    /// <param name="groups">The cells, an array for each row group.</param>
    internal static Column? Of(List<Array> groups)
    {
        var integers = Joined<long, long?>(groups, number => number) ?? Joined<long?, long?>(groups, number => number) ??
            Joined<int, long?>(groups, number => number) ?? Joined<int?, long?>(groups, number => number);
        // Nulls alone have no type of their own.
        return integers is not null && Array.Exists(integers, number => number is not null) ? new Column<long?>(FeatureType.Int64, integers) : null;
    }

    private static TCell[]? Joined<TElement, TCell>(List<Array> groups, Func<TElement, TCell> convert)
    {
        // By the runtime's own types: a cast would take ulong[] for long[].
        if (groups.Count == 0 || !groups.TrueForAll(group => group.GetType() == typeof(TElement[]))) return null;
        var cells = new TCell[groups.Sum(group => group.Length)];
        var row = 0;
        foreach (var group in groups)
            foreach (var element in (TElement[])group) cells[row++] = convert(element);
        return cells;
    }
}
