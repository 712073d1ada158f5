using System.Globalization;

namespace Attune.Datasets;

public sealed partial class Dataset
{
    /// <summary>Gives a column of numbers or names the classes that a card or a file's metadata says it has.</summary>
    /// <param name="name">The column.</param>
    /// <param name="type">Class labels, or lists of them.</param>
    /// <param name="split">The split's name, for rows that came from no file.</param>
    /// <param name="options">What to do with rows whose label is none of the classes.</param>
    internal Dataset WithClasses(string name, FeatureType type, string split, DatasetReadOptions options)
    {
        if (type is not ClassLabel classes || Features[name] is Sequence) return CastColumn(name, type);
        if (Get(name) is Column<long?> column && column.Values.All(number => number is null || (number >= -1 && number < classes.NumClasses)))
            return Replace(name, column.WithType(classes));
        var bad = new SplitBadRows(this, split, options);
        var numbers = new long?[NumRows];
        var kept = new List<int>(NumRows);
        var cells = Get(name);
        for (var row = 0; row < NumRows; row++)
        {
            if (cells[row] is null or "" || Number(cells[row]!, classes) is { } number && (numbers[row] = number) is not null) kept.Add(row);
            else
                bad.Add(row, $"the label {Formats.Shown.Of(Convert.ToString(cells[row], CultureInfo.InvariantCulture)!)} in the column \"{name}\" is none of its {classes.NumClasses} classes " +
                    $"({LabelNames.Shown(classes.Names)}), which have the numbers 0 to {classes.NumClasses - 1}", "correct the row");
        }
        bad.Finish();
        var typed = Replace(name, new Column<long?>(classes, numbers));
        return kept.Count == NumRows ? typed : typed.Select(kept);
    }

    /// <summary>The number of a class: by its name, or as a whole number from -1 (no class) up.</summary>
    private static long? Number(object cell, ClassLabel classes)
    {
        if (cell is string text && classes.NumberOf(text) is >= 0 and var named) return named;
        long? number = cell switch
        {
            long integer => integer,
            double real when real == Math.Floor(real) && Math.Abs(real) < 1L << 53 => (long)real,
            string digits when long.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var parsed) => parsed,
            _ => null,
        };
        return number >= -1 && number < classes.NumClasses ? number : null;
    }
}
