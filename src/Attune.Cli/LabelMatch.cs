using System.Globalization;
using Attune.Datasets;

namespace Attune.Cli;

/// <summary>How the labels of data and the classes of a trained model go together: by name, never by place unless that is said.</summary>
/// <param name="Fits">Whether they do.</param>
/// <param name="Assumption">What is to be said where they do by number alone; else null.</param>
internal sealed record LabelMatch(bool Fits, string? Assumption = null)
{
    /// <summary>Compares them.</summary>
    /// <param name="name">What the data set is called.</param>
    /// <param name="splits">The data.</param>
    /// <param name="columns">With the labels of the data.</param>
    /// <param name="classes">The model's classes.</param>
    /// <param name="isEvaluated">Whether the model is only evaluated; else it is trained, and its classes count only where they are the same.</param>
    internal static LabelMatch Of(string name, DatasetDict splits, ClassificationColumns columns, IReadOnlyList<string> classes, bool isEvaluated)
    {
        var names = columns.LabelNames;
        var known = classes.ToHashSet(StringComparer.OrdinalIgnoreCase);
        if (!isEvaluated) return new LabelMatch(names.Count == classes.Count && names.All(known.Contains));
        if (names.Any(known.Contains)) return new LabelMatch(true);        // a row with another label is then named with its place
        var isClassLabel = columns.LabelColumn is { } label && splits.Values.Any(split => split.Features.GetValueOrDefault(label) is ClassLabel or Sequence { Element: ClassLabel });
        var fits = isClassLabel
            ? names.Count == classes.Count && (LabelNames.AreNumbers(names) || LabelNames.AreNumbers(classes))
            : names.Count <= classes.Count && names.All(LabelNames.IsInteger);
        if (!fits || names.All(from => Class(from) == "LABEL_" + from)) return new LabelMatch(fits);
        var pairs = isClassLabel ? names.Zip(classes, (from, to) => $"{from} -> {to}") : names.Select(from => $"{from} -> {Class(from)}");
        return new LabelMatch(true, $"The labels of {name} and the classes of the model have no names in common, so they are matched by number: {DataSource.List([.. pairs])}.");

        string Class(string number) =>
            int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var at) && at < classes.Count ? classes[at] : "no class";
    }
}
