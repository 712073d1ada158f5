using System.Collections;

namespace Attune.Datasets;

/// <summary>Values that are made when they are asked for.</summary>
internal class RowView<T>(int count, Func<int, T> valueOf) : IReadOnlyList<T>
{
    /// <inheritdoc/>
    public int Count => count;

    /// <inheritdoc/>
    public T this[int index] => valueOf(index);

    /// <inheritdoc/>
    public IEnumerator<T> GetEnumerator()
    {
        for (var i = 0; i < Count; i++) yield return this[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>Some of the values of a list, in any order.</summary>
internal sealed class SelectedRows<T>(IReadOnlyList<T> values, int[] rows) : RowView<T>(rows.Length, row => values[rows[row]]);

/// <summary>Lists end to end.</summary>
internal sealed class JoinedRows<T>(IReadOnlyList<IReadOnlyList<T>> parts, int[] starts) : RowView<T>(parts.Sum(part => part.Count), row => At(parts, starts, row))
{
    internal static JoinedRows<T> Of(IReadOnlyList<IReadOnlyList<T>> parts)
    {
        var starts = new int[parts.Count];
        for (var part = 1; part < starts.Length; part++) starts[part] = checked(starts[part - 1] + parts[part - 1].Count);
        return new JoinedRows<T>(parts, starts);
    }

    private static T At(IReadOnlyList<IReadOnlyList<T>> parts, int[] starts, int row)
    {
        var part = Array.BinarySearch(starts, row);
        if (part < 0) part = ~part - 1;
        else while (parts[part].Count == 0) part++;                         // empty parts begin where the next does
        return parts[part][row - starts[part]];
    }
}
