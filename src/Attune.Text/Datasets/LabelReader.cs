using System.Globalization;

namespace Attune.Datasets;

/// <summary>Reads the labels of any column as names, so that splits of different types, files and models compare.</summary>
/// <param name="column">The label column's name.</param>
/// <param name="separator">Separates the labels of a text cell, or null where a cell is one label.</param>
internal sealed class LabelReader(string column, string? separator)
{
    /// <summary>The names of a row's labels; null where it has none (missing, empty, or -1).</summary>
    internal string[]? Read(Dataset data, int row) => data.Get(column)[row] switch
    {
        null or "" => null,
        string text => separator is null ? [text] : [.. text.Split(separator).Select(part => part.Trim()).Where(part => part.Length > 0)],
        long number => Name(data.Features[column], number) is { } name ? [name] : null,
        double number => [Name(number)],
        string[] texts => texts,
        long[] numbers => [.. numbers.Select(number => Name((data.Features[column] as Sequence)?.Element, number) ?? "-1")],
        double[] numbers => [.. numbers.Select(Name)],
        _ => null,
    };

    /// <summary>Whether the labels of this column are class names, and not bare numbers.</summary>
    internal static ClassLabel? Classes(FeatureType type) => type as ClassLabel ?? (type as Sequence)?.Element as ClassLabel;

    /// <summary>Whether no row of the split has a label: there is no such column, or it holds nothing but blanks or -1.</summary>
    internal bool IsUnlabelled(Dataset data)
    {
        if (!data.Features.ContainsKey(column)) return true;
        if (data.Features[column] is Sequence) return false;
        for (var row = 0; row < data.NumRows; row++)
            if (data.Get(column)[row] is not (null or "" or -1L or -1.0 or "-1")) return false;
        return true;
    }

    /// <summary>Whether every cell is one or more whole numbers joined by commas, and some cell several: the layout of GoEmotions.</summary>
    internal static bool IsNumberList(Dataset data, string column)
    {
        if (data.Features.GetValueOrDefault(column) != FeatureType.String) return false;
        var cells = data.Column<string?>(column).Where(cell => !string.IsNullOrEmpty(cell)).ToList();
        return cells.Exists(cell => cell!.Contains(',')) &&
            cells.TrueForAll(cell => cell!.Split(',').All(part => part.Length > 0 && part.All(char.IsAsciiDigit)));
    }

    private static string? Name(FeatureType? type, long number) => type is ClassLabel classes
        ? number < 0 ? null : classes.NameOf(number)
        : number.ToString(CultureInfo.InvariantCulture);

    // 1.0 in a column of floats that are said to be classes is the class 1.
    private static string Name(double number) => number == Math.Floor(number)
        ? number.ToString("F0", CultureInfo.InvariantCulture) : number.ToString("R", CultureInfo.InvariantCulture);
}
