using Attune.Cli.Pages;
using Attune.Formats;
using Attune.Inspection;

namespace Attune.Cli.Inspections;

/// <summary>The report as a page with pictures.</summary>
internal static class InspectionPage
{
    private const int MostBars = 60;

    internal static string Of(string name, InspectionReport report, RunEstimate? estimate, string? whyNot)
    {
        var page = new HtmlPage($"What is in {name}");
        page.Section("Summary");
        page.Text($"{Figures.Count(report.Splits.Sum(split => (long)split.Rows))} rows in {report.Splits.Count} split{(report.Splits.Count == 1 ? "" : "s")}; " +
            $"{Count(report, FindingLevel.Warning)} and {Count(report, FindingLevel.Note)}.");
        page.Add(Overview(report));
        if (estimate is not null)
            page.Text($"Training with these arguments will take about {InspectionText.Duration(estimate.Seconds)} and {ByteSize.Words(estimate.PeakMemoryBytes)} of memory on this machine.");
        Findings(page, report);
        Lengths(page, report);
        if (report.Splits.Any(split => split.Classes.Count > 0)) Labels(page, report);
        Letters(page, report);
        Estimate(page, estimate, whyNot);
        return page.ToString();
    }

    private static string Count(InspectionReport report, FindingLevel level)
    {
        var count = report.Findings.Count(finding => finding.Level == level);
        return $"{count} {level.ToString().ToLowerInvariant()}{(count == 1 ? "" : "s")}";
    }

    private static HtmlTable Overview(InspectionReport report)
    {
        var table = new HtmlTable("The splits", "Split", "Rows", "Labelled", "Words, mean", "Tokens, mean", "Empty", "One word", "Unknown tokens", "Cut");
        foreach (var split in report.Splits)
            table.Add(split.Name, Figures.Count(split.Rows), split.Labelled ? "yes" : "no", Figures.Number(split.Words.Mean), Figures.Number(split.Tokens.Mean), Figures.Count(split.Empty),
                Figures.Count(split.OneWord), Share(split.UnknownTokens, split.AllTokens), Share(split.Cut, split.Rows));
        return table;
    }

    private static void Findings(HtmlPage page, InspectionReport report)
    {
        page.Section("Findings");
        if (report.Findings.Count == 0) page.Text("Nothing was found that needs a word.");
        foreach (var finding in report.Findings)
        {
            page.Heading($"{(finding.Level == FindingLevel.Warning ? "Warning" : "Note")}: {FailOn.NameOf(finding.Kind).Replace('_', ' ')}, {string.Join(" and ", finding.Splits)}");
            page.Text(finding.Summary);
            page.Text(Markup.Element("strong", "What to do: ") + finding.Advice);
            if (finding.Examples.Count == 0) continue;
            var table = new HtmlTable("Examples; rows that belong together have the same number", "", "Row", "Label", "Text");
            foreach (var (number, example) in finding.Examples.Index())
                foreach (var row in example.Rows) table.Add($"{number + 1}", $"{row.Split}: {row.Place}", row.Label ?? "\u2013", Markup.Element("span", row.Text, ("class", "text")));
            page.Add(table);
        }
    }

    private static void Lengths(HtmlPage page, InspectionReport report)
    {
        page.Section("Lengths");
        var width = report.Splits[0].Histogram.Width;
        var bins = report.Splits.Max(split => split.Histogram.Rows.Count);
        page.Add(new HistogramPlot("Rows by length", "tokens", "% of the rows", [.. Enumerable.Range(0, bins + 1).Select(bin => (double)bin * width)],
            [.. report.Splits.Select(split => (report.Splits.Count == 1 ? "" : split.Name, (IReadOnlyList<double>)[.. split.Histogram.Rows.Select(rows => 100.0 * rows / split.Rows)]))])
        {
            Limit = report.MaxLength is { } most ? (most, $"max_length {most}") : null,
            Description = string.Join("; ", report.Splits.Select(split => $"{split.Name}: half of the rows have at most {split.Tokens.Median} tokens, 99 of 100 at most {split.Tokens.P99}, the longest {Figures.Count(split.Tokens.Max)}" +
                (split.Histogram.Longer > 0 ? $" ({Figures.Count(split.Histogram.Longer)} beyond the right edge)" : ""))) + ".",
        });
        var table = new HtmlTable("Length in tokens, special tokens included, nothing cut", "Split", "Mean", "Least", "25 %", "Half", "75 %", "90 %", "95 %", "99 %", "Most", "Cut");
        foreach (var split in report.Splits) Add(table, split.Name, split.Tokens, split.Cut, split.Rows);
        page.Add(table);
        foreach (var split in report.Splits.Where(split => split.Classes.Count > 0))
        {
            var byClass = new HtmlTable($"Length by class in {split.Name}", "Class", "Mean", "Least", "25 %", "Half", "75 %", "90 %", "95 %", "99 %", "Most", "Cut");
            foreach (var one in split.Classes)
                if (one.Tokens is { } tokens) Add(byClass, one.Name, tokens, one.Cut, one.Rows);
            page.AddFolded($"Length by class in {split.Name}", byClass);
        }
    }

    private static void Add(HtmlTable table, string name, LengthSummary length, int cut, int rows) => table.Add(
        [name, Figures.Number(length.Mean), .. new[] { length.Min, length.P25, length.Median, length.P75, length.P90, length.P95, length.P99, length.Max }.Select(value => (Markup)Figures.Count(value)), Share(cut, rows)]);

    private static void Labels(HtmlPage page, InspectionReport report)
    {
        page.Section("Labels");
        var splits = report.Splits.Where(split => split.Classes.Count > 0).ToList();
        foreach (var split in splits)
        {
            var shown = split.Classes.Count <= MostBars ? split.Classes : [.. split.Classes.OrderByDescending(one => one.Rows).Take(MostBars)];
            page.Add(new BarPlot($"Rows by class in {split.Name}", "rows", [.. shown.Select(one => (one.Name, (double)one.Rows))])
            {
                Said = rows => $"{Figures.Count(rows)} ({Share(rows, split.Rows)})",
                Description = shown.Count < split.Classes.Count ? $"The {MostBars} most frequent of {split.Classes.Count} classes." : "",
            });
        }
        var table = new HtmlTable("Rows by class", ["Class", .. splits.SelectMany(split => new[] { split.Name, "share" })]);
        foreach (var (number, name) in report.Classes.Index())
            table.Add([name, .. splits.SelectMany(split => new Markup[] { Figures.Count(split.Classes[number].Rows), Share(split.Classes[number].Rows, split.Rows) })]);
        page.AddFolded("Rows by class, side by side", table);
    }

    private static void Letters(HtmlPage page, InspectionReport report)
    {
        page.Section("Scripts, languages, vocabulary");
        page.Add(Named("Rows by the script of most of their letters", report, split => split.Scripts));
        if (report.Splits.Any(split => split.Languages.Count > 0))
        {
            page.Add(Named("Rows in Latin letters by language, where at least two frequent words tell it", report, split => split.Languages));
            page.Text("Languages are a guess by frequent words: good for shares of many rows, not for one. Short rows mostly count for none.");
        }
        var table = new HtmlTable("Words that the vocabulary lacks", "Split", "Tokens", "Unknown", "Share", "Rows with some");
        foreach (var split in report.Splits)
            table.Add(split.Name, Figures.Count(split.AllTokens), Figures.Count(split.UnknownTokens), Share(split.UnknownTokens, split.AllTokens), Share(split.RowsWithUnknown, split.Rows));
        page.Add(table);
    }

    private static HtmlTable Named(string caption, InspectionReport report, Func<SplitReport, IReadOnlyList<NamedRows>> names)
    {
        var table = new HtmlTable(caption, ["", .. report.Splits.SelectMany(split => new[] { split.Name, "share" })]);
        foreach (var name in report.Splits.SelectMany(names).GroupBy(one => one.Name).OrderByDescending(rows => rows.Sum(one => (long)one.Rows)).Select(rows => rows.Key))
            table.Add([name, .. report.Splits.SelectMany(split =>
            {
                var rows = names(split).FirstOrDefault(one => one.Name == name)?.Rows ?? 0;
                return new Markup[] { Figures.Count(rows), Share(rows, names(split).Sum(one => (long)one.Rows)) };
            })]);
        return table;
    }

    private static void Estimate(HtmlPage page, RunEstimate? estimate, string? whyNot)
    {
        page.Section("What training will take");
        if (estimate is null)
        {
            page.Missing(whyNot ?? "Not measured: --no-probe was given.");
            return;
        }
        page.Text($"About {InspectionText.Duration(estimate.Seconds)} and {ByteSize.Words(estimate.PeakMemoryBytes)} of memory on this machine, from {estimate.UpdatesMeasured} updates of the run; " +
            $"{ByteSize.Words(estimate.FreeMemoryBytes)} are free.");
        page.Add(new BarPlot("Where the time goes", "seconds", [.. estimate.Parts.Select(part => (part.Name, part.Total))]) { Said = InspectionText.Duration });
        var table = new HtmlTable("What a run does", "", "Times", "Each", "Together");
        foreach (var part in estimate.Parts) table.Add(part.Name, Figures.Count(part.Times), InspectionText.Duration(part.Seconds), InspectionText.Duration(part.Total));
        page.Add(table);
        foreach (var note in estimate.Notes) page.Text($"Not reckoned: {note}.");
    }

    private static string Share(double part, double of) => of == 0 ? "\u2013" : Percent.Of(part, of);
}
