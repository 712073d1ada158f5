using System.Globalization;
using System.Text;
using Attune.Cli.Experiments;
using Attune.Formats;
using Attune.Inspection;

namespace Attune.Cli.Inspections;

/// <summary>The report as plain text.</summary>
internal static class InspectionText
{
    private const int MostClasses = 100;

    internal static string Of(InspectionReport report, RunEstimate? estimate, string? whyNot)
    {
        var text = new StringBuilder();
        Block(text, "Splits", Splits(report));
        if (Labels(report) is { } labels) Block(text, "Labels", labels);
        if (report.Splits.Any(split => split.Targets is not null)) Block(text, "Numbers", Targets(report));
        Block(text, $"Length in tokens{(report.MaxLength is { } most ? $", max_length {most}" : "")}", Lengths(report));
        foreach (var level in new[] { FindingLevel.Warning, FindingLevel.Note })
            Findings(text, level == FindingLevel.Warning ? "Warnings" : "Notes", [.. report.Findings.Where(finding => finding.Level == level)]);
        if (report.Findings.Count == 0) text.Append("Nothing was found that needs a word.\n\n");
        if (estimate is not null) Block(text, "What training with these arguments will take", Estimate(estimate));
        else if (whyNot is not null) Block(text, "What training with these arguments will take", "Not known. " + whyNot);
        return text.ToString().TrimEnd('\n');
    }

    private static void Block(StringBuilder text, string heading, object content) => text.Append(heading).Append('\n').Append(content).Append("\n\n");

    private static TextTable Splits(InspectionReport report)
    {
        var table = new TextTable("split", "rows", "words", "tokens", "unknown", "empty", "one word", "scripts", "languages");
        foreach (var split in report.Splits)
            table.Add(split.Name, Amount.Of(split.Rows), Mean(split.Words.Mean), Mean(split.Tokens.Mean), Percent.Of(split.UnknownTokens, split.AllTokens),
                Amount.Of(split.Empty), Amount.Of(split.OneWord), Shares(split.Scripts, split.Rows), Shares(split.Languages, split.Languages.Sum(language => language.Rows)));
        return table;
    }

    private static string? Labels(InspectionReport report)
    {
        var splits = report.Splits.Where(split => split.Classes.Count > 0).ToList();
        if (splits.Count == 0) return null;
        var table = new TextTable(["class", .. splits.SelectMany(split => new[] { split.Name, "" })]);
        foreach (var (number, name) in report.Classes.Index().Take(MostClasses))
            table.Add([Shown.Of(name), .. splits.SelectMany(split => new[] { Amount.Of(split.Classes[number].Rows), Percent.Of(split.Classes[number].Rows, split.Rows) })]);
        return report.Classes.Count > MostClasses ? $"{table}\nand {report.Classes.Count - MostClasses} more; --json shows all." : table.ToString();
    }

    private static TextTable Targets(InspectionReport report)
    {
        var table = new TextTable("split", "mean", "deviation", "least", "greatest");
        foreach (var split in report.Splits)
            if (split.Targets is { } targets) table.Add(split.Name, Number(targets.Mean), Number(targets.Deviation), Number(targets.Min), Number(targets.Max));
        return table;
    }

    private static TextTable Lengths(InspectionReport report)
    {
        var table = new TextTable("split", "least", "25%", "half", "75%", "90%", "95%", "99%", "most", "cut", "cut by class");
        foreach (var split in report.Splits)
        {
            var worst = split.Classes.Where(one => one.Cut > 0).OrderByDescending(one => (double)one.Cut / one.Rows).Take(3);
            var length = split.Tokens;
            table.Add([split.Name, .. new[] { length.Min, length.P25, length.Median, length.P75, length.P90, length.P95, length.P99, length.Max }.Select(value => Amount.Of(value)),
                Percent.Of(split.Cut, split.Rows), string.Join(", ", worst.Select(one => $"{Shown.Of(one.Name)} {Percent.Of(one.Cut, one.Rows)}"))]);
        }
        return table;
    }

    private static void Findings(StringBuilder text, string heading, List<Finding> findings)
    {
        if (findings.Count == 0) return;
        text.Append(heading).Append('\n');
        foreach (var finding in findings)
        {
            text.Append($"{FailOn.NameOf(finding.Kind)}: {finding.Summary}\n    -> {finding.Advice}\n");
            foreach (var example in finding.Examples)
                foreach (var (place, row) in example.Rows.Index())
                    text.Append(place == 0 ? "    - " : "      ").Append($"{row.Split}: {row.Place}{(row.Label is { } label ? $" [{Shown.Of(label)}]" : "")} {Shown.Of(row.Text)}\n");
        }
        text.Append('\n');
    }

    private static string Estimate(RunEstimate estimate)
    {
        var table = new TextTable("", "times", "each", "together");
        foreach (var part in estimate.Parts) table.Add(part.Name, Amount.Of(part.Times), Duration(part.Seconds), Duration(part.Total));
        table.Add("time", "", "", Duration(estimate.Seconds));
        table.Add("memory", "", "", ByteSize.Words(estimate.PeakMemoryBytes));
        var text = new StringBuilder().Append(table).Append($"\nFrom {estimate.UpdatesMeasured} updates; {ByteSize.Words(estimate.FreeMemoryBytes)} of memory are free.");
        if (estimate.PeakMemoryBytes > estimate.FreeMemoryBytes) text.Append(" That is less than the run needs: lower per_device_train_batch_size, or give --auto-find-batch-size.");
        foreach (var note in estimate.Notes) text.Append($"\nNot reckoned: {note}.");
        return text.ToString();
    }

    internal static string Duration(double seconds) => seconds < 60
        ? string.Create(CultureInfo.InvariantCulture, $"{seconds:0.###} s") : ProgressLine.Duration(TimeSpan.FromSeconds(seconds));

    private static string Shares(IReadOnlyList<NamedRows> names, int of) => string.Join(", ", names.Take(3).Select(name => $"{name.Name} {Percent.Of(name.Rows, of)}"));

    private static string Mean(double value) => value.ToString("0.0", CultureInfo.InvariantCulture);

    private static string Number(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);
}
