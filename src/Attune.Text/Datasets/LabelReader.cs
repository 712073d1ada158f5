using System.Globalization;

namespace Attune.Datasets;

/// <summary>Reads the labels of any column as names, so that splits of different types, files and models compare.</summary>
/// <param name="column">The label column's name.</param>
/// <param name="separator">
/// Separates the labels of a text cell, or null where a cell is one label; <see cref="MultiHot"/> where a cell is a list with a 0 or 1 for each class.
/// </param>
internal sealed class LabelReader(string column, string? separator)
{
    /// <summary>Stands in the place of a separator for lists in which a 1 says that the row has the class of that place.</summary>
    internal const string MultiHot = "0/1";

    /// <summary>The names of a row's labels; null where it has none (missing, empty, or -1).</summary>
    internal string[]? Read(Dataset data, int row) => data.Get(column)[row] switch
    {
        null or "" => null,
        string text => separator is null ? [text] : [.. Bare(text).Split(separator).Select(Unquoted).Where(part => part.Length > 0)],
        long number => Name(data.Features[column], number) is { } name ? [name] : null,
        double number => [Name(number)],
        string[] texts => texts,
        long[] flags when separator == MultiHot => [.. Places(flags, flag => flag != 0)],
        double[] flags when separator == MultiHot => [.. Places(flags, flag => flag != 0)],
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

    /// <summary>
    /// Whether every cell is one or more whole numbers joined by commas, and some cell several, as in GoEmotions; or every cell is a list in
    /// brackets, as pandas and Python write them.
    /// </summary>
    internal static bool IsWrittenList(Dataset data, string column)
    {
        if (data.Features.GetValueOrDefault(column) != FeatureType.String) return false;
        var cells = data.Column<string?>(column).Where(cell => !string.IsNullOrEmpty(cell)).ToList();
        if (cells.Count == 0) return false;
        if (cells.TrueForAll(cell => IsBracketed(cell!.Trim()))) return true;
        return cells.Exists(cell => cell!.Contains(',')) &&
            cells.TrueForAll(cell => cell!.Split(',').All(part => part.Length > 0 && part.All(char.IsAsciiDigit)));
    }

    /// <summary>
    /// Whether the cells are lists of one length that hold nothing but 0 and 1, and some list has one of them twice: numbers of classes never
    /// stand in a list twice.
    /// </summary>
    internal static bool IsMultiHot(Dataset data, string column)
    {
        if (data.Features.GetValueOrDefault(column) is not Sequence { Element: not ClassLabel } list || list.Element == FeatureType.String) return false;
        var (length, isTwice) = (-1, false);
        for (var row = 0; row < data.NumRows; row++)
        {
            double[]? values = data.Get(column)[row] switch
            {
                long[] numbers => Array.ConvertAll(numbers, number => (double)number),
                double[] numbers => numbers,
                _ => null,
            };
            if (values is null) continue;
            if (length >= 0 && values.Length != length || Array.Exists(values, value => value is not (0 or 1))) return false;
            length = values.Length;
            isTwice |= values.Length > values.Distinct().Count();
        }
        return isTwice;
    }

    /// <summary>Names of the classes of lists of 0 and 1: their places, also those of classes that no row has.</summary>
    internal static IReadOnlyList<string> PlacesOf(Dataset data, string column) =>
        [.. Places((Array)data[column].First(cell => cell is not null)!)];

    private static bool IsBracketed(string text) => text is ['[', .., ']'];

    private static string Bare(string text) => text.Trim() is var trimmed && IsBracketed(trimmed) ? trimmed[1..^1] : text;

    private static string Unquoted(string part)
    {
        var trimmed = part.Trim();
        return trimmed is ['\'', .., '\''] or ['"', .., '"'] ? trimmed[1..^1] : trimmed;
    }

    private static IEnumerable<string> Places(Array list) =>
        Enumerable.Range(0, list.Length).Select(place => place.ToString(CultureInfo.InvariantCulture));

    private static IEnumerable<string> Places<T>(T[] flags, Func<T, bool> isSet) =>
        Enumerable.Range(0, flags.Length).Where(place => isSet(flags[place])).Select(place => place.ToString(CultureInfo.InvariantCulture));

    private static string? Name(FeatureType? type, long number) => type is ClassLabel classes
        ? number < 0 ? null : classes.NameOf(number)
        : number.ToString(CultureInfo.InvariantCulture);

    // 1.0 in a column of floats that are said to be classes is the class 1.
    private static string Name(double number) => number == Math.Floor(number)
        ? number.ToString("F0", CultureInfo.InvariantCulture) : number.ToString("R", CultureInfo.InvariantCulture);
}
