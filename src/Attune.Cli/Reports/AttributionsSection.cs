using System.Globalization;
using Attune.Cli.Pages;
using Attune.Inference;
using Attune.Metrics;

namespace Attune.Cli.Reports;

/// <summary>Which words of a text spoke for the prediction and which against it, as coloured text: of the most wrong and of the least sure rows.</summary>
internal static class AttributionsSection
{
    private const int MostCharacters = 1500, WordsNamed = 3;

    internal static void Add(Report report, RunFacts run, EvaluatedTexts texts, ShownRows shown, ReportArguments what, Terminal terminal)
    {
        var page = report.Page;
        page.Section("Words that decided");
        try
        {
            var folder = ModelFolder.Find(run.Run.Folder, revision: null, terminal);
            _ = folder.Config();                               // without a model libtorch need not be loaded
            Compute.Start(new DeviceArguments().Device, threads: null);
            using var classifier = new Classifier(TorchEngine.Load(folder.Path, folder.Base), new ClassifierOptions { Settings = run.Settings });
            page.Text("By integrated gradients (Sundararajan and others, 2017). " + Markup.Element("mark", "Blue words", ("class", "for"), ("style", "--a:0.7")) + " spoke for what is explained, "
                + Markup.Element("mark", "orange words", ("class", "against"), ("style", "--a:0.7")) + " against it; the more colour, the more they did. The numbers are in units of the logit.");
            foreach (var (heading, rows) in Chosen(run, what.Attributions).Where(part => part.Rows.Count > 0))
            {
                page.Heading(heading);
                foreach (var row in rows)
                {
                    var number = run.RowNumbers[row];
                    var found = classifier.Explain(texts.Texts[number], texts.Pairs?[number]);
                    page.Add(Markup.Element("div", Head(run, shown, row, found) + Markup.Element("p", Coloured(texts, number, found), ("class", "said")) + Named(found), ("class", "explained")));
                }
            }
        }
        catch (AttuneException e)
        {
            page.Missing($"Left out: {CardNames.Said(run, e.Message)}");
        }
    }

    /// <summary>The rows with the highest losses, and of the others those whose prediction the model is least sure of. Of a cross-validation those of the first fold, whose model is asked.</summary>
    private static IEnumerable<(string Heading, IReadOnlyList<int> Rows)> Chosen(RunFacts run, int most)
    {
        var rows = run.Rows!;
        var ofFirst = run.AreFolds ? RunPredictions.Read(run.Run.Folder)!.Rows!.ToHashSet() : null;
        var isRegression = rows.Task == TaskKind.Regression;
        int[] wrong = [.. RowLosses.Highest(rows, rows.Rows).Select(row => row.Row).Where(IsAsked).Take(isRegression ? most : (most + 1) / 2)];
        yield return ("The rows with the highest loss", wrong);
        if (isRegression) yield break;
        yield return ("The rows of which the model is least sure",
            [.. Enumerable.Range(0, rows.Rows).Where(row => IsAsked(row) && !wrong.Contains(row)).OrderBy(run.Confidence).Take(most - wrong.Length)]);

        bool IsAsked(int row) => ofFirst is null || ofFirst.Contains(run.Predictions!.Rows![run.RowNumbers[row]]);
    }

    private static Markup Head(RunFacts run, ShownRows shown, int row, Attributions found)
    {
        var confidence = shown.Confidence(row) is { Length: > 0 } sure ? $" ({sure})" : "";
        var explained = run.Rows!.Task == TaskKind.MultiLabel ? $"; explained is {found.Label}" : "";
        return Markup.Element("p", $"Row {shown.Place(row)}: label {shown.Label(row)}, prediction {shown.Prediction(row)}{confidence}{explained}. Logit {Figures.Number(found.Logit)}, without the text {Figures.Number(found.BaselineLogit)}.");
    }

    private static Markup Coloured(EvaluatedTexts texts, int number, Attributions found)
    {
        var strongest = found.Words.Select(word => Math.Abs(word.Score)).DefaultIfEmpty(0).Max();
        var first = Coloured(texts.Texts[number], [.. found.Words.Where(word => !word.IsOfPair)], strongest);
        return texts.Pairs is { } pairs ? first + Markup.Element("br", "") + Coloured(pairs[number], [.. found.Words.Where(word => word.IsOfPair)], strongest) : first;
    }

    private static Markup Coloured(string text, AttributedPart[] words, double strongest)
    {
        var (pieces, end) = (new List<Markup>(), 0);
        foreach (var word in words)
        {
            if (word.Start < end || word.End > MostCharacters) continue;
            pieces.Add(text[end..word.Start]);
            var share = strongest > 0 ? Math.Abs(word.Score) / strongest : 0;
            pieces.Add(share < 0.05 ? text[word.Start..word.End] : Markup.Element("mark", text[word.Start..word.End],
                ("class", word.Score > 0 ? "for" : "against"), ("style", $"--a:{share.ToString("0.00", CultureInfo.InvariantCulture)}"), ("title", Figures.Number(word.Score))));
            end = word.End;
        }
        pieces.Add(text.Length - end > 40 ? " \u2026" : text[end..]);
        return Markup.Join(pieces);
    }

    /// <summary>The strongest words with their numbers: colours alone would leave some readers out.</summary>
    private static Markup Named(Attributions found)
    {
        string Words(IEnumerable<AttributedPart> words) => string.Join(", ", words.Take(WordsNamed).Select(word => $"\u201C{word.Text}\u201D {Figures.Number(word.Score)}"));
        var (forIt, against) = (Words(found.Words.Where(word => word.Score > 0).OrderByDescending(word => word.Score)), Words(found.Words.Where(word => word.Score < 0).OrderBy(word => word.Score)));
        return Markup.Element("p", $"For it: {(forIt.Length > 0 ? forIt : "nothing")}. Against it: {(against.Length > 0 ? against : "nothing")}.", ("class", "named"));
    }
}
