using Attune.Datasets;
using Attune.Tokenization;

namespace Attune.Inspection;

/// <summary>What is in a data set, and what is wrong with it.</summary>
/// <remarks>
/// The texts are read once, block by block; of each row some 30 bytes are kept. Only texts whose hashes are equal are read again, to be compared.
/// Texts count as the same to the letter where they are equal without the white space at both ends, and as the same but for case where they are equal besides
/// when all letters are upper case (Unicode's simple mapping). Of pairs both texts must be the same, in their order. Texts without a letter, digit or sign are
/// told of as empty and compared with nothing.
/// </remarks>
/// <example><code>
/// var report = InspectionReport.Of(dataset, ClassificationColumns.Find(dataset), tokenizer);
/// foreach (var finding in report.Findings) Console.WriteLine($"{finding.Summary} {finding.Advice}");
/// </code></example>
/// <param name="Splits">The splits, in their order.</param>
/// <param name="Classes">The names of the classes; empty for regression and without labels.</param>
/// <param name="MaxLength">Longest row in tokens; null for no limit.</param>
/// <param name="Findings">What its owner should know: warnings first, then in the order of <see cref="FindingKind"/>.</param>
public sealed record InspectionReport(
    IReadOnlyList<SplitReport> Splits, IReadOnlyList<string> Classes, int? MaxLength, IReadOnlyList<Finding> Findings)
{
    /// <summary>Inspects a data set.</summary>
    /// <param name="splits">Its splits.</param>
    /// <param name="columns">Its texts and labels.</param>
    /// <param name="tokenizer">Counts tokens.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <exception cref="AttuneException">A row cannot be used, and bad rows are not to be left out.</exception>
    public static InspectionReport Of(DatasetDict splits, ClassificationColumns columns, BertTokenizer tokenizer, InspectionOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(splits);
        ArgumentNullException.ThrowIfNull(columns);
        ArgumentNullException.ThrowIfNull(tokenizer);
        options ??= new();
        var scanned = splits.Select(split => ScannedSplit.Of(split.Key, split.Value, columns, tokenizer)).ToList();
        var maxLength = options.MaxLength ?? tokenizer.ModelMaxLength;
        var lengths = scanned.Select(split => SortedLengths.Of(split, columns.LabelNames.Count)).ToList();
        var upTo = lengths.Select(length => length.UpTo).DefaultIfEmpty(0).Max();
        var reports = scanned.Zip(lengths, (split, length) => Report(split, length, columns.LabelNames, maxLength, upTo)).ToList();
        var same = SameTexts.Find(scanned, columns.LabelNames, options.Examples);
        var findings = new Findings(scanned, lengths, reports, columns, maxLength, options.Examples).All(same, tokenizer);
        return new InspectionReport(reports, columns.LabelNames, maxLength, [.. findings.OrderByDescending(finding => finding.Level).ThenBy(finding => finding.Kind)]);
    }

    private static SplitReport Report(ScannedSplit split, SortedLengths lengths, IReadOnlyList<string> classes, int? maxLength, int upTo)
    {
        var labelled = split.Rows.HasLabels;
        return new SplitReport(
            split.Name, split.Rows.Count, labelled, LengthSummary.Of(lengths.Tokens), LengthSummary.Of(lengths.Words), LengthHistogram.Of(lengths.Tokens, upTo),
            split.Tokens.Sum(tokens => (long)tokens), SortedLengths.Above(lengths.Tokens, maxLength), split.Unknown.Sum(tokens => (long)tokens),
            split.Unknown.Count(tokens => tokens > 0), split.Words.Count(words => words == 1), split.Words.Count(words => words == 0),
            labelled ? [.. classes.Select((name, number) => Class(name, lengths.OfClass(number)))] : [], Targets(split.Rows.Targets),
            Named(split.Scripts.GroupBy(script => script).Select(rows => new NamedRows(rows.Key == Script.None ? "no letters" : rows.Key.ToString(), rows.Count()))),
            Named(split.Languages.Where(language => language >= 0).GroupBy(language => language).Select(rows => new NamedRows(Languages.Names[rows.Key], rows.Count()))));

        ClassReport Class(string name, ReadOnlySpan<int> tokens) => new(
            name, tokens.Length, (double)tokens.Length / split.Rows.Count, tokens.IsEmpty ? null : LengthSummary.Of(tokens), SortedLengths.Above(tokens, maxLength));
    }

    private static IReadOnlyList<NamedRows> Named(IEnumerable<NamedRows> rows) =>
        [.. rows.OrderByDescending(one => one.Rows).ThenBy(one => one.Name, StringComparer.Ordinal)];

    private static TargetSummary? Targets(IReadOnlyList<double>? targets)
    {
        if (targets is null) return null;
        var mean = targets.Average();
        return new TargetSummary(mean, Math.Sqrt(targets.Sum(target => (target - mean) * (target - mean)) / targets.Count), targets.Min(), targets.Max());
    }
}
