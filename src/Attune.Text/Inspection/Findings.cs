using System.Globalization;
using Attune.Datasets;
using Attune.Formats;
using Attune.Tokenization;

namespace Attune.Inspection;

/// <summary>From counts to sentences: which counts are worth one, and what to do about them.</summary>
internal sealed class Findings(
    IReadOnlyList<ScannedSplit> scanned, IReadOnlyList<SortedLengths> lengths, IReadOnlyList<SplitReport> reports, ClassificationColumns columns, int? maxLength, int examples)
{
    // From these shares on something is worth a sentence. The figures themselves are in the report in any case.
    private const double LeastCut = 0.01, LeastUnknown = 0.01, LeastOfOtherScript = 0.005, LeastOfOtherLanguage = 0.05, LeastLabelShift = 0.05,
        LeastLengthDistance = 0.1, LeastLengthRatio = 1.2, MostImbalance = 10;

    private const int UnknownRowsRead = 2000, WordsShown = 8;

    private readonly List<Finding> _found = [];

    internal List<Finding> All(SameTexts same, Tokenizer tokenizer)
    {
        AddSameTexts(same);
        AddLabels();
        for (var split = 0; split < reports.Count; split++)
        {
            AddShort(split);
            AddCut(split);
            AddUnknown(split, tokenizer);
            AddLanguages(split);
        }
        AddShifts();
        return _found;
    }

    private void AddSameTexts(SameTexts same)
    {
        for (var second = 0; second < reports.Count; second++)
            for (var first = 0; first < second; first++)
                if (same.Leaks[first, second] is { Rows: > 0 } leak)
                    Add(FindingKind.Leakage, FindingLevel.Warning, [reports[first].Name, reports[second].Name], leak,
                        $"{Share(leak.Rows, reports[second].Rows, "row")} of the split {reports[second].Name} {(leak.Rows == 1 ? "has its text" : "have their text")} in {reports[first].Name} too{ByCase(leak)}.",
                        "Remove them from one of the splits: a model remembers them, and results are better than they should be.");
        if (same.Conflicts is { Rows: > 0 } conflicts)
        {
            var (exact, byCase) = same.ConflictingTexts;
            Add(FindingKind.Conflicts, FindingLevel.Warning, [.. same.ConflictingSplits.Select(split => reports[split].Name)], conflicts,
                $"{Amount.Of(exact + byCase, "text")} in {Amount.Of(conflicts.Rows, "row")} {(exact + byCase == 1 ? "has" : "have")} more than one label{ByCase(conflicts)}.",
                "Decide on one label for each, or remove these rows: no model can have all of them right.");
        }
        for (var split = 0; split < reports.Count; split++)
            if (same.Duplicates[split] is { Rows: > 0 } duplicates)
                Add(FindingKind.Duplicates, FindingLevel.Note, [reports[split].Name], duplicates,
                    $"{Share(duplicates.Rows, reports[split].Rows, "row")} of the split {reports[split].Name} {(duplicates.Rows == 1 ? "repeats" : "repeat")} the text of an earlier row{ByCase(duplicates)}.",
                    "Keep one row of each text, unless it is as frequent where the model will be used: repeated rows weigh more in training, and are counted again in metrics.");
    }

    private void Add(FindingKind kind, FindingLevel level, IReadOnlyList<string> splits, SameTexts.Count count, string summary, string advice) =>
        _found.Add(new Finding(kind, level, splits, count.Rows, summary, advice, count.Examples) { RowsByCaseOnly = count.ByCase });

    private static string ByCase(SameTexts.Count count) => count.ByCase == 0 ? "" : count.Exact == 0 ? " when case is ignored" : $", {Amount.Of(count.ByCase)} of them only when case is ignored";

    private void AddShort(int split)
    {
        var report = reports[split];
        if (report.Empty > 0)
            AddRows(FindingKind.Empty, FindingLevel.Warning, split, report.Empty, row => scanned[split].Words[row] == 0,
                $"{Share(report.Empty, report.Rows, "row")} of the split {report.Name} {(report.Empty == 1 ? "has an empty text" : "have empty texts")}.",
                "Fill them in, or remove the rows: they are used as they are, and teach nothing but the frequency of labels.");
        if (report.OneWord > 0)
            AddRows(FindingKind.OneWord, FindingLevel.Note, split, report.OneWord, row => scanned[split].Words[row] == 1,
                $"{Share(report.OneWord, report.Rows, "row")} of the split {report.Name} {(report.OneWord == 1 ? "has" : "have")} a text of a single word.",
                "Look whether their labels can be told from the word; if not, remove the rows.");
    }

    private void AddCut(int split)
    {
        var report = reports[split];
        if (report.Cut < LeastCut * report.Rows || report.Cut == 0) return;
        var worst = report.Classes.Where(one => one.Rows > 0).MaxBy(one => (double)one.Cut / one.Rows);
        var most = worst is null || report.Classes.Count < 2 ? "" : $", of the class {Shown.Of(worst.Name)} {Percent.Of(worst.Cut, worst.Rows)}";
        AddRows(FindingKind.Cut, FindingLevel.Note, split, report.Cut, row => scanned[split].Tokens[row] > maxLength,
            $"{Share(report.Cut, report.Rows, "row")} of the split {report.Name} {(report.Cut == 1 ? "is" : "are")} longer than {maxLength} tokens and would be cut{most}; the longest has {Amount.Of(report.Tokens.Max)} tokens.",
            $"Set max_length to {report.Tokens.P99:N0} to cut one row of a hundred, if the model has so many positions; or read long texts whole with long_texts windows.");
    }

    private void AddUnknown(int split, Tokenizer tokenizer)
    {
        var report = reports[split];
        if (report.UnknownTokens < LeastUnknown * report.AllTokens || report.UnknownTokens == 0) return;
        var words = UnknownWords(scanned[split], tokenizer);
        AddRows(FindingKind.Unknown, FindingLevel.Note, split, report.RowsWithUnknown, row => scanned[split].Unknown[row] > 0,
            $"{Percent.Of(report.UnknownTokens, report.AllTokens)} of the tokens of the split {report.Name} stand for words that the vocabulary lacks, in {Amount.Of(report.RowsWithUnknown, "row")}" +
            $"{(words.Count == 0 ? "" : $"; the most frequent: {string.Join(", ", words)}")}.",
            "Take a model whose vocabulary has the script of these texts, such as a multilingual one; what a model reads as unknown it cannot tell apart.");
    }

    /// <summary>The words that the vocabulary lacks, by how often they stand in the first rows that have some.</summary>
    private static List<string> UnknownWords(ScannedSplit split, Tokenizer tokenizer)
    {
        var words = new Dictionary<string, int>();
        var options = new EncodeOptions { Truncation = TruncationStrategy.DoNotTruncate };
        foreach (var row in RowsWhere(split, row => split.Unknown[row] > 0).Take(UnknownRowsRead))
        {
            Count(split.Rows.Texts[row]);
            if (split.Rows.Pairs is { } pairs) Count(pairs[row]);
        }
        return [.. words.OrderByDescending(word => word.Value).ThenBy(word => word.Key, StringComparer.Ordinal).Take(WordsShown).Select(word => word.Key)];

        void Count(string text)
        {
            var encoding = tokenizer.Encode(text, options);
            for (var i = 0; i < encoding.Length; i++)
            {
                if (encoding.Ids[i] != tokenizer.UnkId || encoding.SpecialTokensMask[i] == 1) continue;
                var (start, end) = encoding.Offsets[i];
                var word = Shown.Of(text[start..end]);
                words[word] = words.GetValueOrDefault(word) + 1;
            }
        }
    }

    private void AddLanguages(int split)
    {
        var report = reports[split];
        var scripts = report.Scripts.Where(script => script.Name != "no letters").ToList();
        if (scripts.Count > 1 && scripts.Skip(1).Sum(script => script.Rows) is var others && others >= LeastOfOtherScript * report.Rows)
        {
            var main = Enum.Parse<Script>(scripts[0].Name);
            AddRows(FindingKind.Languages, FindingLevel.Note, split, others, row => scanned[split].Scripts[row] is not Script.None and var script && script != main,
                $"The split {report.Name} is written in several scripts: {string.Join(", ", scripts.Select(script => $"{script.Name} {Percent.Of(script.Rows, report.Rows)}"))} of the rows.",
                "Look whether all of them should be there, and take a model that was trained on all of them.");
        }
        var told = report.Languages.Sum(language => language.Rows);
        if (report.Languages.Count < 2 || told - report.Languages[0].Rows < LeastOfOtherLanguage * told) return;
        var language = Array.IndexOf(Languages.Names, report.Languages[0].Name);
        AddRows(FindingKind.Languages, FindingLevel.Note, split, told - report.Languages[0].Rows, row => scanned[split].Languages[row] >= 0 && scanned[split].Languages[row] != language,
            $"The split {report.Name} seems to be in several languages: {string.Join(", ", report.Languages.Take(4).Select(one => $"{one.Name} {Percent.Of(one.Rows, told)}"))} " +
            $"of the {Amount.Of(told)} rows whose language can be told by their words.",
            "Look whether all of them should be there, and take a model that was trained on all of them.");
    }

    private void AddLabels()
    {
        var names = columns.LabelNames;
        var totals = names.Select((_, number) => reports.Where(split => split.Labelled).Sum(split => (long)split.Classes[number].Rows)).ToList();
        var spellings = LabelSpelling.Of(names, totals).ToList();
        if (spellings.Count > 0)
            _found.Add(new Finding(FindingKind.LabelSpellings, FindingLevel.Warning, [.. reports.Where(split => split.Labelled).Select(split => split.Name)], spellings.Count,
                $"{Amount.Of(spellings.Count, "label")} may be another one misspelled: " + string.Join("; ", spellings.Take(WordsShown).Select(pair =>
                    $"{Shown.Of(names[pair.Second])} ({Amount.Of(totals[pair.Second], "row")}) and {Shown.Of(names[pair.First])} ({Amount.Of(totals[pair.First])})")) + ".",
                "Write the same label the same way everywhere: now each spelling is a class of its own.",
                [.. spellings.Take(examples).Select(pair => LabelExample(pair.Second)).OfType<FindingExample>()]));
        if (reports.FirstOrDefault(split => split.Name == DatasetDict.Train) is not { Classes.Count: > 0 } train) return;
        var (there, missing) = (train.Classes.Where(one => one.Rows > 0).ToList(), names.Index().Where(name => train.Classes[name.Index].Rows == 0).Select(name => name.Index).ToList());
        if (there.Count == 1)
            _found.Add(new Finding(FindingKind.MissingClasses, FindingLevel.Warning, [train.Name], train.Rows,
                $"Every row of the split {train.Name} has the label {Shown.Of(there[0].Name)}.", "Add rows of other classes: nothing can be learned from one.", []));
        else if (missing.Count > 0)
            _found.Add(new Finding(FindingKind.MissingClasses, FindingLevel.Warning, [train.Name], missing.Count,
                $"{Amount.Of(missing.Count, "class", "classes")} {(missing.Count == 1 ? "has" : "have")} no row in the split {train.Name}: {string.Join(", ", missing.Take(WordsShown).Select(number => Shown.Of(names[number])))}" +
                $"{(missing.Count > WordsShown ? " and more" : "")}.",
                "Add rows of them, or remove them from the other splits: a class without rows is never predicted.",
                [.. missing.Take(examples).Select(LabelExample).OfType<FindingExample>()]));
        if (there.Count > 1 && there.MinBy(one => one.Rows) is { } rare && there.MaxBy(one => one.Rows) is { } frequent && rare.Rows * MostImbalance < frequent.Rows)
            _found.Add(new Finding(FindingKind.Imbalance, FindingLevel.Note, [train.Name], rare.Rows,
                $"The class {Shown.Of(rare.Name)} has {Amount.Of(rare.Rows, "row")} in the split {train.Name}, {Shown.Of(frequent.Name)} {Amount.Of(frequent.Rows)}.",
                "Judge by F1 (macro) beside accuracy, and try class_weights balanced or sampling balanced.",
                LabelExample(names.Index().First(name => name.Item == rare.Name).Index) is { } example && examples > 0 ? [example] : []));
    }

    /// <summary>The first row with a label.</summary>
    private FindingExample? LabelExample(int label)
    {
        foreach (var split in scanned)
            foreach (var row in RowsWhere(split, row => split.Rows.Classes?[row] == label || split.Rows.ClassSets?[row].Contains(label) == true))
                return new FindingExample([split.Example(row, columns.LabelNames)]);
        return null;
    }

    private void AddShifts()
    {
        var first = reports.ToList().FindIndex(split => split.Name == DatasetDict.Train);
        if (first < 0) return;
        for (var other = 0; other < reports.Count; other++)
        {
            if (other == first) continue;
            AddLengthShift(first, other);
            if (reports[first].Classes.Count > 0 && reports[other].Classes.Count > 0) AddLabelShift(reports[first], reports[other]);
        }
    }

    private void AddLengthShift(int first, int other)
    {
        var (train, split) = (reports[first], reports[other]);
        var distance = Shift.Distance<int>(lengths[first].Tokens, lengths[other].Tokens);
        var ratio = split.Tokens.Mean / train.Tokens.Mean;
        if (distance < Math.Max(LeastLengthDistance, Shift.CriticalDistance(train.Rows, split.Rows)) || ratio is > 1 / LeastLengthRatio and < LeastLengthRatio) return;
        _found.Add(new Finding(FindingKind.LengthShift, FindingLevel.Note, [train.Name, split.Name], split.Rows,
            string.Create(CultureInfo.InvariantCulture, $"Texts of the split {split.Name} are {(ratio > 1 ? "longer" : "shorter")} than those of {train.Name}: {split.Words.Mean:0.0} words in place of {train.Words.Mean:0.0}, ") +
            string.Create(CultureInfo.InvariantCulture, $"{split.Tokens.Mean:0.0} tokens in place of {train.Tokens.Mean:0.0} on average (distance of Kolmogorov and Smirnov {distance:0.00})."),
            "Look at results by length; speed and memory of training say little about those of evaluation and use.", []));
    }

    private void AddLabelShift(SplitReport train, SplitReport split)
    {
        int[] one = [.. train.Classes.Select(rows => rows.Rows)], two = [.. split.Classes.Select(rows => rows.Rows)];
        if (one.Sum() == 0 || two.Sum() == 0) return;
        var distance = Shift.TotalVariation(one, two);
        if (distance < LeastLabelShift || !Shift.DifferSurely(one, two)) return;
        var most = Enumerable.Range(0, one.Length).MaxBy(number => Math.Abs(train.Classes[number].Share - split.Classes[number].Share));
        _found.Add(new Finding(FindingKind.LabelShift, FindingLevel.Note, [train.Name, split.Name], split.Rows,
            $"Labels of the split {split.Name} are distributed otherwise than those of {train.Name}: {Percent.Of(distance, 1)} of its rows would need another class to be alike; " +
            $"{Shown.Of(train.Classes[most].Name)} has {Percent.Of(split.Classes[most].Rows, split.Rows)} in place of {Percent.Of(train.Classes[most].Rows, train.Rows)}.",
            "Draw the splits anew with the same shares (validation_split is stratified), or look at metrics that do not hang on them.", []));
    }

    private void AddRows(FindingKind kind, FindingLevel level, int split, long rows, Func<int, bool> isOne, string summary, string advice) =>
        _found.Add(new Finding(kind, level, [reports[split].Name], rows, summary, advice,
            [.. RowsWhere(scanned[split], isOne).Take(examples).Select(row => new FindingExample([scanned[split].Example(row, columns.LabelNames)]))]));

    private static IEnumerable<int> RowsWhere(ScannedSplit split, Func<int, bool> isOne) => Enumerable.Range(0, split.Rows.Count).Where(isOne);

    private static string Share(long rows, long of, string what) => $"{Amount.Of(rows, what)} ({Percent.Of(rows, of)})";
}
