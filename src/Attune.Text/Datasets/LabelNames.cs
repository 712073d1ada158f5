using System.Globalization;

namespace Attune.Datasets;

/// <summary>The order of class names.</summary>
internal static class LabelNames
{
    /// <summary>The distinct names in order: by size where all are integers (so 2 before 10), else ordinally.</summary>
    /// <remarks>run_classification.py sorts integers as text too; the order by size is Attune's, so that the labels 0 to n-1 are their own numbers.</remarks>
    internal static IReadOnlyList<string> Sorted(IEnumerable<string> names)
    {
        var distinct = names.Distinct(StringComparer.Ordinal).ToList();
        return distinct.TrueForAll(IsInteger)
            ? [.. distinct.OrderBy(name => long.Parse(name, CultureInfo.InvariantCulture)).ThenBy(name => name, StringComparer.Ordinal)]
            : [.. distinct.Order(StringComparer.Ordinal)];
    }

    /// <summary>The first of the names, for messages.</summary>
    internal static string Shown(IReadOnlyList<string> names) => string.Join(", ", names.Take(8).Select(Formats.Shown.Plain)) + (names.Count > 8 ? ", ..." : "");

    /// <summary>Whether the names say no more than the numbers of the classes: 0, 1, 2, or LABEL_0, LABEL_1 as transformers has them.</summary>
    internal static bool AreNumbers(IReadOnlyList<string> names) => names.Index().All(name => name.Item == $"LABEL_{name.Index}" || IsInteger(name.Item));

    internal static bool IsInteger(string name) =>
        long.TryParse(name, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _);
}
