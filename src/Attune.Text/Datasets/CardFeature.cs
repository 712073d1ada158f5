using System.Globalization;
using Attune.Formats;

namespace Attune.Datasets;

/// <summary>The type of a column as a card's <c>dataset_info</c> writes it, where it is one of class labels; plain types need no telling.</summary>
internal static class CardFeature
{
    /// <summary>The type of a column of class labels or of lists of them; null for every other.</summary>
    /// <exception cref="FormatException">Its classes are not numbered from 0 without a gap.</exception>
    /// <exception cref="AttuneException">A class is named twice.</exception>
    internal static FeatureType? Classes(Dictionary<string, object?> feature)
    {
        // Lists were written as sequence once and are list now; what they hold stands below, either at once or below dtype.
        foreach (var list in new[] { "list", "sequence", "large_list" })
            if (feature.GetValueOrDefault(list) is Dictionary<string, object?> element) return Classes(element) is ClassLabel label ? new Sequence(label) : null;
        if (feature.GetValueOrDefault("dtype") is Dictionary<string, object?> type) return Classes(type);
        return feature.GetValueOrDefault("class_label") is Dictionary<string, object?> { } classes ? new ClassLabel(Names(classes.GetValueOrDefault("names"))) : null;
    }

    /// <summary>A list of names, or a mapping from numbers to names.</summary>
    private static IEnumerable<string> Names(object? names)
    {
        if (names is List<object?> list) return list.Select(name => name as string ?? "");
        if (names is not Dictionary<string, object?> numbered) throw new FormatException("they have no names");
        var byNumber = numbered.ToDictionary(pair => Number(pair.Key), pair => pair.Value as string ?? "");
        var missing = Enumerable.Range(0, byNumber.Count).FirstOrDefault(number => !byNumber.ContainsKey(number), -1);
        return missing < 0 ? Enumerable.Range(0, byNumber.Count).Select(number => byNumber[number]) : throw new FormatException($"class {missing} has no name");
    }

    private static int Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
        : throw new FormatException($"{Shown.Of(text)} is no number of a class");
}
