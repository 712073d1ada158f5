using System.Globalization;

namespace Attune.Datasets;

/// <summary>Finds the type of a column of cells that a text file holds.</summary>
internal static class CellTypes
{
    /// <summary>Integers if every cell is one, floats if every cell is a number, else text. Empty cells fit all; "007" is text, for its zeros say something.</summary>
    internal static Column Infer(IReadOnlyList<string?> cells)
    {
        // Most columns are text, and the first cell says so.
        if (cells.FirstOrDefault(cell => cell!.Length > 0) is not { } first || !IsNumber(first)) return Text(cells);
        if (Parse(cells, Integer) is { } integers) return new Column<long?>(FeatureType.Int64, integers);
        if (Parse(cells, Float) is { } floats) return new Column<double?>(FeatureType.Float64, floats);
        return Text(cells);
    }

    internal static bool IsNumber(string cell) => cell.Length > 0 && (Integer(cell) is not null || Float(cell) is not null);

    private static Column<string?> Text(IReadOnlyList<string?> cells) => new(FeatureType.String, cells);

    private static T?[]? Parse<T>(IReadOnlyList<string?> cells, Func<string, T?> parse) where T : struct
    {
        var values = new T?[cells.Count];
        for (var i = 0; i < values.Length; i++)
        {
            var cell = cells[i]!;
            if (cell.Length == 0) continue;
            if (parse(cell) is not { } value) return null;
            values[i] = value;
        }
        return values;
    }

    /// <summary>The integer that a cell is, or null.</summary>
    internal static long? Integer(string cell) => !HasLeadingZero(cell) &&
        long.TryParse(cell, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : null;

    /// <summary>The number that a cell is, or null.</summary>
    internal static double? Float(string cell) => !HasLeadingZero(cell) && cell[^1] is (>= '0' and <= '9') or '.' &&
        double.TryParse(cell, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent,
            CultureInfo.InvariantCulture, out var value) && double.IsFinite(value) ? value : null;

    private static bool HasLeadingZero(string cell) => cell.TrimStart('-', '+') is ['0', >= '0' and <= '9', ..];
}
