using System.Globalization;
using System.Text.RegularExpressions;

namespace Attune.Datasets;

/// <summary>Rows of one or more splits, named as in Hugging Face's datasets: <c>train[:10%]</c>, <c>train[10:20]+test</c>, <c>train[-5%:]</c>.</summary>
/// <remarks>
/// A percentage is rounded to the nearest row, halves to the even one, unless <c>(pct1_dropremainder)</c> stands behind it: then a percent is a
/// hundredth of the rows rounded down. Where one bound of a slice is a percentage, both are. Bounds beyond the split end with it.
/// </remarks>
internal sealed partial class SplitExpression
{
    private readonly string _text;
    private readonly IReadOnlyList<Slice> _slices;

    private SplitExpression(string text, IReadOnlyList<Slice> slices) => (_text, _slices) = (text, slices);

    /// <summary>Whether a text is more than the name of a split.</summary>
    internal static bool IsPart(string text) => text.AsSpan().ContainsAny('[', '+', '(');

    /// <summary>Takes an expression apart.</summary>
    /// <exception cref="AttuneException">It is none.</exception>
    internal static SplitExpression Parse(string text) => new(text, [.. text.Split('+').Select(part => ParseSlice(part.Trim(), text))]);

    /// <summary>The rows it names, in its order.</summary>
    /// <exception cref="AttuneException">There is no such split, or it names no row.</exception>
    internal Dataset Of(DatasetDict splits)
    {
        var parts = new List<Dataset>();
        foreach (var slice in _slices)
        {
            if (!splits.TryGetValue(slice.Split, out var rows)) throw new AttuneException(
                $"There is no split \"{slice.Split}\"{(slice.Split == _text ? "" : $", which \"{_text}\" names")}; there is {string.Join(", ", splits.Keys)}." +
                Spelling.DidYouMean(slice.Split, splits.Keys));
            var (from, to) = slice.Range(rows.NumRows, _text);
            if (to > from) parts.Add(from == 0 && to == rows.NumRows ? rows : rows.Select(Enumerable.Range(from, to - from)));
        }
        if (parts.Count > 0) return Dataset.Concatenate(parts);
        throw new AttuneException($"\"{_text}\" names no row: {string.Join(", ", _slices.Select(slice => slice.Split).Distinct().Select(name => $"{name} has {splits[name].NumRows}"))}; take a larger part.");
    }

    private static Slice ParseSlice(string part, string text)
    {
        var match = Part().Match(part);
        if (!match.Success) throw Odd(text, "it is no split, or split[from:to] with numbers of rows or percentages, several joined by +");
        string? Group(string name) => match.Groups[name] is { Success: true } group ? group.Value : null;
        var isPercent = Group("fromPercent") is not null || Group("toPercent") is not null;
        var slice = new Slice(Group("split")!, Number(Group("from"), text), Number(Group("to"), text), isPercent, Group("rounding"));
        if (isPercent && (slice.From is < -100 or > 100 || slice.To is < -100 or > 100)) throw Odd(text, "a percentage lies between -100 and 100");
        if (slice.Rounding is not (null or Closest or Truncated)) throw Odd(text, $"the rounding is {Closest} or {Truncated}");
        return slice;
    }

    private static int? Number(string? digits, string text) => digits is null ? null
        : int.TryParse(digits.Replace("_", "", StringComparison.Ordinal), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number
        : throw Odd(text, $"{digits} is no number of rows");

    private static AttuneException Odd(string text, string reason) => new($"\"{text}\" names no rows of a split: {reason}; write for instance train[:10%] or train[100:200]+validation.");

    private const string Closest = "closest", Truncated = "pct1_dropremainder";

    [GeneratedRegex(@"^(?<split>\w+(\.\w+)*)(\[((?<from>-?[0-9_]+)(?<fromPercent>%)?)?:((?<to>-?[0-9_]+)(?<toPercent>%)?)?\])?(\((?<rounding>[^)]*)\))?$", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Part();

    private sealed record Slice(string Split, int? From, int? To, bool IsPercent, string? Rounding)
    {
        internal (int From, int To) Range(int rows, string text)
        {
            if (IsPercent && Rounding == Truncated && rows < 100)
                throw Odd(text, $"the split {Split} has {rows} rows, of which a percent rounded down is none");
            return (Bound(From ?? 0), To is null ? rows : Bound(To.Value));

            int Bound(int bound)
            {
                var row = !IsPercent ? bound : Rounding == Truncated ? bound * (rows / 100) : (long)Math.Round(bound * (double)rows / 100, MidpointRounding.ToEven);
                return (int)Math.Clamp(row < 0 ? rows + row : row, 0, rows);
            }
        }
    }
}
