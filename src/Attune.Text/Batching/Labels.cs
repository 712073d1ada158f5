using System.Runtime.InteropServices;

namespace Attune.Batching;

/// <summary>What the rows of a batch should come out as; the kind decides the loss.</summary>
public abstract record Labels
{
    private protected Labels()
    {
    }

    /// <summary>Number of rows.</summary>
    public abstract int Rows { get; }

    /// <summary>The labels of the given rows.</summary>
    public abstract Labels Select(ReadOnlySpan<int> rows);

    /// <summary>The values as they lie in memory, for a fingerprint.</summary>
    internal abstract ReadOnlySpan<byte> Bytes { get; }

    private protected static float[] SelectLines(float[] values, int columns, ReadOnlySpan<int> rows)
    {
        var selected = new float[rows.Length * columns];
        for (var i = 0; i < rows.Length; i++)
            values.AsSpan(rows[i] * columns, columns).CopyTo(selected.AsSpan(i * columns));
        return selected;
    }
}

/// <summary>One class a row: cross-entropy.</summary>
/// <param name="Values">Class ids from 0; <see cref="Ignored"/> leaves a row out of the loss.</param>
public sealed record ClassLabels(long[] Values) : Labels
{
    /// <summary>The id of a row that does not count, as in PyTorch.</summary>
    public const long Ignored = -100;

    /// <inheritdoc/>
    public override int Rows => Values.Length;

    internal override ReadOnlySpan<byte> Bytes => MemoryMarshal.AsBytes<long>(Values);

    /// <inheritdoc/>
    public override Labels Select(ReadOnlySpan<int> rows)
    {
        var selected = new long[rows.Length];
        for (var i = 0; i < rows.Length; i++) selected[i] = Values[rows[i]];
        return new ClassLabels(selected);
    }
}

/// <summary>Any number of classes a row: binary cross-entropy with logits.</summary>
/// <param name="Values">Row by row, 0 or 1 for each class (a probability is allowed too).</param>
/// <param name="Columns">Number of classes.</param>
public sealed record MultiLabels(float[] Values, int Columns) : Labels
{
    /// <inheritdoc/>
    public override int Rows => Values.Length / Columns;

    internal override ReadOnlySpan<byte> Bytes => MemoryMarshal.AsBytes<float>(Values);

    /// <inheritdoc/>
    public override Labels Select(ReadOnlySpan<int> rows) => new MultiLabels(SelectLines(Values, Columns, rows), Columns);
}

/// <summary>Numbers: mean squared error.</summary>
/// <param name="Values">Row by row.</param>
/// <param name="Columns">Numbers a row, mostly 1.</param>
public sealed record RegressionTargets(float[] Values, int Columns = 1) : Labels
{
    /// <inheritdoc/>
    public override int Rows => Values.Length / Columns;

    internal override ReadOnlySpan<byte> Bytes => MemoryMarshal.AsBytes<float>(Values);

    /// <inheritdoc/>
    public override Labels Select(ReadOnlySpan<int> rows) => new RegressionTargets(SelectLines(Values, Columns, rows), Columns);
}
