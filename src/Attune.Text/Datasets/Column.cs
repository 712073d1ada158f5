namespace Attune.Datasets;

/// <summary>The values of one column, typed. Immutable.</summary>
/// <remarks>Cells of a column of text are string?, of integers and class labels long?, of floats double?, of lists string[]?, long[]? or double[]?.</remarks>
internal abstract class Column(FeatureType type)
{
    internal FeatureType Type { get; } = type;

    internal abstract int Length { get; }

    internal abstract object? this[int row] { get; }

    internal abstract Column Take(ReadOnlySpan<int> rows);

    internal abstract Column WithType(FeatureType type);

    /// <summary>Joins columns of one type end to end.</summary>
    internal abstract Column Followed(IEnumerable<Column> others);
}

/// <inheritdoc cref="Column"/>
internal sealed class Column<T>(FeatureType type, IReadOnlyList<T> values) : Column(type)
{
    internal IReadOnlyList<T> Values => values;

    /// <summary>Whether the values are read from a file each time they are asked for.</summary>
    internal bool IsStored => values is not T[];

    internal override int Length => values.Count;

    internal override object? this[int row] => values[row];

    internal override Column Take(ReadOnlySpan<int> rows)
    {
        if (values is not T[] array) return new Column<T>(Type, new SelectedRows<T>(values, rows.ToArray()));
        var taken = new T[rows.Length];
        for (var i = 0; i < rows.Length; i++) taken[i] = array[rows[i]];
        return new Column<T>(Type, taken);
    }

    internal override Column WithType(FeatureType type) => new Column<T>(type, values);

    internal override Column Followed(IEnumerable<Column> others)
    {
        IReadOnlyList<T>[] parts = [values, .. others.Select(other => ((Column<T>)other).Values)];
        return new Column<T>(Type, Array.TrueForAll(parts, part => part is T[]) ? [.. parts.SelectMany(part => part)] : JoinedRows<T>.Of(parts));
    }
}
