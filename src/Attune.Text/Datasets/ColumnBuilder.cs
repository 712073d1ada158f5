using System.Collections;
using System.Globalization;

namespace Attune.Datasets;

/// <summary>Turns loose values into a typed column; finds the type when none is given.</summary>
internal static class ColumnBuilder
{
    /// <summary>The names of the classes that truth values become.</summary>
    private static readonly ClassLabel Boolean = new(["false", "true"]);

    /// <summary>Builds a column of the type that all values share.</summary>
    /// <param name="name">The column's name, for messages.</param>
    /// <param name="values">The cells: text, integers, floats, truth values, enumeration members, lists of these, or null.</param>
    /// <param name="place">Says where a row is, for messages.</param>
    /// <param name="like">A type to keep if the values fit it (the former type of a column that was mapped).</param>
    internal static Column Infer(string name, IReadOnlyList<object?> values, Func<int, string> place, FeatureType? like = null)
    {
        var type = TypeOf(name, values, place);
        if (like is ClassLabel && type == FeatureType.Int64) type = like;
        if (like is Sequence { Element: ClassLabel } && type is Sequence list && list.Element == FeatureType.Int64) type = like;
        return Build(name, type, values, place);
    }

    /// <summary>Builds a column of the given type, converting where nothing is lost.</summary>
    /// <exception cref="AttuneException">A value does not fit the type.</exception>
    internal static Column Build(string name, FeatureType type, IReadOnlyList<object?> values, Func<int, string> place)
    {
        if (type == FeatureType.String) return Fill(type, values, Cell(ToText));
        if (type == FeatureType.Float64) return Fill(type, values, Cell(value => (double?)ToFloat(value)));
        if (type is Sequence { Element: var element })
        {
            if (element == FeatureType.String) return Fill(type, values, List(ToText));
            if (element == FeatureType.Float64) return Fill(type, values, List(ToFloat));
            return Fill(type, values, List(value => ToInteger(value, element as ClassLabel)));
        }
        return Fill(type, values, Cell(value => (long?)ToInteger(value, type as ClassLabel)));

        Column Fill<T>(FeatureType of, IReadOnlyList<object?> cells, Func<object, T> convert)
        {
            var filled = new T[cells.Count];
            for (var row = 0; row < filled.Length; row++)
            {
                if (cells[row] is not { } cell) continue;
                try
                {
                    filled[row] = convert(cell);
                }
                catch (Exception e) when (e is FormatException or InvalidCastException or OverflowException)
                {
                    throw new AttuneException($"{place(row)}: the column \"{name}\" is of type {Brief(of)}, which does not allow " +
                        $"{Quote(cell)}; correct the row or give the column another type.", e);
                }
            }
            return new Column<T>(of, filled);
        }

        static Func<object, T> Cell<T>(Func<object, T> convert) =>
            cell => cell is IEnumerable and not string ? throw new InvalidCastException() : convert(cell);

        static Func<object, T[]> List<T>(Func<object, T> convert) =>
            cell => cell is IEnumerable list and not string
                ? [.. list.Cast<object?>().Select(value => convert(value ?? throw new InvalidCastException()))]
                : throw new InvalidCastException();
    }

    private static FeatureType TypeOf(string name, IReadOnlyList<object?> values, Func<int, string> place)
    {
        FeatureType? type = null;
        var enumeration = values.FirstOrDefault(value => value is Enum)?.GetType();
        for (var row = 0; row < values.Count; row++)
        {
            if (values[row] is not { } value) continue;
            var of = value is IEnumerable list and not string ? ListType(list) : ScalarType(value);
            type = Common(type, of) ?? throw new AttuneException(type is null
                ? $"{place(row)}: the column \"{name}\" holds {Quote(value)}, which a data set cannot hold; use text, numbers or lists of these."
                : $"{place(row)}: the column \"{name}\" holds {Quote(value)} here and {Brief(type)} before; make the column of one type.");
        }
        return type switch
        {
            null => FeatureType.String,
            Sequence { Element: Unknown } => new Sequence(FeatureType.String),
            ClassLabel when enumeration is not null => new ClassLabel(Enum.GetNames(enumeration)),
            _ => type,
        };

        FeatureType ListType(IEnumerable list)
        {
            FeatureType? element = null;
            foreach (var value in list)
            {
                if (value is IEnumerable and not string) return Unsupported.Instance;
                if (value is not null) element = Common(element, ScalarType(value)) ?? Unsupported.Instance;
            }
            return element is Unsupported ? element : new Sequence(element ?? Unknown.Instance);
        }

        FeatureType ScalarType(object value) => value switch
        {
            string or char or DateTime or DateTimeOffset or DateOnly or TimeOnly or TimeSpan or Guid => FeatureType.String,
            bool => Boolean,
            Enum => new ClassLabel(Enum.GetNames(value.GetType())),
            sbyte or byte or short or ushort or int or uint or long or ulong => FeatureType.Int64,
            Half or float or double or decimal => FeatureType.Float64,
            _ => Unsupported.Instance,
        };
    }

    /// <summary>The type that both fit, or null: floats take integers, an empty list takes any element.</summary>
    private static FeatureType? Common(FeatureType? former, FeatureType next)
    {
        if (next is Unsupported || former is Unsupported) return null;
        if (former is null || former.Equals(next)) return next;
        if (former is Sequence a && next is Sequence b)
        {
            if (a.Element is Unknown) return b;
            if (b.Element is Unknown) return a;
            return Common(a.Element, b.Element) is { } element ? new Sequence(element) : null;
        }
        var isNumber = (former == FeatureType.Int64 || former == FeatureType.Float64) && (next == FeatureType.Int64 || next == FeatureType.Float64);
        return isNumber ? FeatureType.Float64 : null;
    }

    /// <summary>The text that a value that is no list becomes.</summary>
    internal static string ToText(object value) => value switch
    {
        string text => text,
        double or float or Half => ToFloat(value).ToString("R", CultureInfo.InvariantCulture),
        bool truth => truth ? "true" : "false",
        DateTime or DateTimeOffset or DateOnly or TimeOnly => ((IFormattable)value).ToString("O", CultureInfo.InvariantCulture),
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };

    private static double ToFloat(object value) => value switch
    {
        string text => double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture),
        Half half => (double)half,
        _ => Convert.ToDouble(value, CultureInfo.InvariantCulture),
    };

    private static long ToInteger(object value, ClassLabel? classes)
    {
        if (classes is not null)
        {
            var name = value switch { string text => text, bool truth => ToText(truth), Enum member => member.ToString(), _ => null };
            if (name is not null && classes.NumberOf(name) is >= 0 and var number) return number;
        }
        var integer = value switch
        {
            string text => long.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture),
            double or float or Half or decimal => ToFloat(value) is var real && real == Math.Floor(real) && Math.Abs(real) < 1L << 53
                ? (long)real : throw new FormatException(),
            _ => Convert.ToInt64(value, CultureInfo.InvariantCulture),
        };
        return classes is null || (integer >= -1 && integer < classes.NumClasses) ? integer : throw new OverflowException();
    }

    private static string Brief(FeatureType type) => type switch
    {
        ClassLabel { NumClasses: > 8 } label => $"ClassLabel({string.Join(", ", label.Names.Take(8))}, ... {label.NumClasses} classes)",
        Sequence { Element: Unknown } => "lists",
        Sequence list => $"Sequence({Brief(list.Element)})",
        _ => type.ToString(),
    };

    private static string Quote(object value) => value switch
    {
        string text => $"the text \"{(text.Length <= 40 ? text : text[..40] + "...")}\"",
        IEnumerable => "a list",
        IFormattable number => $"the value {number.ToString(null, CultureInfo.InvariantCulture)}",
        _ => $"a value of {value.GetType().Name}",
    };

    /// <summary>The element type of lists that were all empty so far.</summary>
    private sealed record Unknown : FeatureType
    {
        internal static readonly Unknown Instance = new();
    }

    /// <summary>Stands for values that no column can hold.</summary>
    private sealed record Unsupported : FeatureType
    {
        internal static readonly Unsupported Instance = new();
    }
}
