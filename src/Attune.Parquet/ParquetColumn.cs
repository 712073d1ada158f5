using ParquetSharp;

namespace Attune.Parquet;

/// <summary>What a column of a Parquet file holds.</summary>
internal enum ParquetKind
{
    /// <summary>Text, or nothing.</summary>
    Text,

    /// <summary>Lists of texts.</summary>
    Texts,

    /// <summary>Integers of 64 bits, or nothing.</summary>
    Integer,

    /// <summary>Numbers of 64 bits, or nothing.</summary>
    Float,

    /// <summary>Numbers of 32 bits.</summary>
    Probability,

    /// <summary>Truth values, or nothing.</summary>
    Boolean,
}

/// <summary>A column of a Parquet file that is written.</summary>
internal sealed record ParquetColumn(string Name, ParquetKind Kind)
{
    /// <summary>As the library wants it.</summary>
    internal Column Schema => Kind switch
    {
        ParquetKind.Texts => new Column<string[]>(Name),
        ParquetKind.Integer => new Column<long?>(Name),
        ParquetKind.Float => new Column<double?>(Name),
        ParquetKind.Probability => new Column<float>(Name),
        ParquetKind.Boolean => new Column<bool?>(Name),
        _ => new Column<string>(Name),
    };

    /// <summary>Writes the cells of a row group: texts, string arrays, longs, doubles, floats or truth values, each by its kind.</summary>
    internal void Write(ColumnWriter writer, IReadOnlyList<object?[]> rows, int column)
    {
        switch (Kind)
        {
            case ParquetKind.Texts: Write<string[]>(writer, rows, column); break;
            case ParquetKind.Integer: Write<long?>(writer, rows, column); break;
            case ParquetKind.Float: Write<double?>(writer, rows, column); break;
            case ParquetKind.Probability: Write<float>(writer, rows, column); break;
            case ParquetKind.Boolean: Write<bool?>(writer, rows, column); break;
            default: Write<string?>(writer, rows, column); break;
        }
    }

    private static void Write<T>(ColumnWriter writer, IReadOnlyList<object?[]> rows, int column)
    {
        using var logical = writer.LogicalWriter<T>();
        var cells = new T[rows.Count];
        for (var row = 0; row < cells.Length; row++) cells[row] = (T)rows[row][column]!;
        logical.WriteBatch(cells);
    }
}
