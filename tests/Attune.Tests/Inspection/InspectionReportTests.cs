using Attune.Datasets;
using Attune.Inspection;
using Attune.Tests.Datasets;
using Attune.Tokenization;

namespace Attune.Tests.Inspection;

public sealed class InspectionReportTests : IDisposable
{
    private static readonly BertTokenizer Tokenizer = BertTokenizer.FromVocabulary(
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "good", "bad", "film", "book", "the", "was", "very", "."]);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Leakage_SameTextInTwoSplits_IsFoundWithBothPlaces()
    {
        var report = Inspect("a good film,pos\nthe book,neg\na bad film,neg\n", "the film,pos\n  a good film  ,pos\nA BAD Film,neg\n");
        var leak = Assert.Single(report.Findings, finding => finding.Kind == FindingKind.Leakage);
        Assert.Equal((2, 1, FindingLevel.Warning), (leak.Rows, leak.RowsByCaseOnly, leak.Level));
        Assert.Equal(["train", "validation"], leak.Splits);
        Assert.StartsWith("2 rows (66.67 %) of the split validation have their text in train too, 1 of them only when case is ignored.", leak.Summary, StringComparison.Ordinal);
        Assert.Equal(["validation: row 2 (line 3)", "train: row 1 (line 2)"], leak.Examples[0].Rows.Select(row => $"{row.Split}: {row.Place.Split(", ")[1]}"));
        Assert.Equal(("a good film", "pos"), (leak.Examples[0].Rows[1].Text, leak.Examples[0].Rows[1].Label));
        Assert.Equal("A BAD Film", leak.Examples[1].Rows[0].Text);
    }

    [Fact]
    public void Leakage_LikeTextsThatAreNotTheSame_IsNone()
    {
        var report = Inspect("a good film,pos\nthe book.,neg\ncafé,pos\n", "a  good film,pos\nthe book,neg\ncafe,pos\na good,neg\nfilm,pos\n");
        Assert.DoesNotContain(report.Findings, finding => finding.Kind is FindingKind.Leakage or FindingKind.Duplicates or FindingKind.Conflicts);
    }

    [Fact]
    public void Leakage_OfPairs_NeedsBothTextsInTheirOrder()
    {
        var report = Of(("train", "sentence1,sentence2,label\na,b c,0\ngood,bad,1\n"), ("validation", "sentence1,sentence2,label\na b,c,0\nbad,good,1\ngood,film,1\n"));
        Assert.DoesNotContain(report.Findings, finding => finding.Kind == FindingKind.Leakage);
        report = Of(("train", "sentence1,sentence2,label\na,b c,0\ngood,bad,1\n"), ("validation", "sentence1,sentence2,label\nGood,bad,1\nx,y,0\n"));
        Assert.Equal((1, 1), report.Findings.Where(finding => finding.Kind == FindingKind.Leakage).Select(finding => ((int)finding.Rows, (int)finding.RowsByCaseOnly)).Single());
    }

    [Fact]
    public void Duplicates_InASplit_AreThoseBeyondTheFirst()
    {
        var report = Inspect("a film,pos\na film,pos\nA film,pos\na film ,pos\nthe book,neg\n", "the film,pos\nbad,neg\n");
        var found = Assert.Single(report.Findings, finding => finding.Kind == FindingKind.Duplicates);
        Assert.Equal((3, 1, "train"), (found.Rows, found.RowsByCaseOnly, found.Splits.Single()));
        Assert.Equal(4, found.Examples.Single().Rows.Count);
        Assert.DoesNotContain(report.Findings, finding => finding.Kind == FindingKind.Conflicts);
    }

    [Fact]
    public void Conflicts_WithinAndAcrossSplits_CountTextsAndTheirRows()
    {
        var report = Inspect("a film,pos\na film,neg\na film,neg\nthe book,neg\ngood,pos\nGOOD,neg\n", "the book,pos\nvery bad,neg\n");
        var found = Assert.Single(report.Findings, finding => finding.Kind == FindingKind.Conflicts);
        Assert.Equal((7, 2), (found.Rows, found.RowsByCaseOnly));
        Assert.StartsWith("3 texts in 7 rows have more than one label, 2 of them only when case is ignored.", found.Summary, StringComparison.Ordinal);
        Assert.Equal(["pos", "neg"], found.Examples[0].Rows.Select(row => row.Label));
        Assert.Equal(["train", "validation"], found.Examples[1].Rows.Select(row => row.Split));
    }

    [Fact]
    public void Empty_Texts_AreToldOfAsSuchAndNotAsDuplicatesOrLeaks()
    {
        var report = Inspect("   ,pos\n\"\t\",neg\na film,pos\ngood,neg\n", " ,pos\nbad film,neg\n");
        Assert.Equal([(FindingKind.Empty, "train", 2L), (FindingKind.Empty, "validation", 1L), (FindingKind.OneWord, "train", 1L)],
            report.Findings.Where(finding => finding.Kind is not FindingKind.LengthShift).Select(finding => (finding.Kind, finding.Splits[0], finding.Rows)));
    }

    [Fact]
    public void Cut_ByClass_IsWhatMaxLengthWouldCut()
    {
        var report = Of(new InspectionOptions { MaxLength = 5 }, ("train", "text,label\na good film,pos\nthe film was very very good,pos\nthe book was very bad,neg\nbad,neg\n"));
        var split = report.Splits.Single();
        Assert.Equal((2, 5), (split.Cut, report.MaxLength));
        Assert.Equal([("neg", 2, 1, 7), ("pos", 2, 1, 8)], split.Classes.Select(one => (one.Name, one.Rows, one.Cut, one.Tokens!.Max)));
        Assert.Equal((3, 8, 5, 8), (split.Tokens.Min, split.Tokens.Max, split.Tokens.Median, split.Tokens.P99));
        Assert.Equal((23L, 5.75), (split.AllTokens, split.Tokens.Mean));
        Assert.Equal((1, 0), (split.Histogram.Width, split.Histogram.Longer));
        Assert.Equal([0, 0, 0, 1, 0, 1, 0, 1, 1], split.Histogram.Rows);
        Assert.Contains("2 rows (50 %) of the split train are longer than 5 tokens and would be cut", report.Findings.Single(finding => finding.Kind == FindingKind.Cut).Summary, StringComparison.Ordinal);
    }

    [Fact]
    public void Unknown_Words_AreCountedAndNamed()
    {
        var report = Inspect("a good zebra,pos\nзебра zebra,neg\nthe film,pos\n", "a film,pos\n");
        Assert.Equal((3L, 2), (report.Splits[0].UnknownTokens, report.Splits[0].RowsWithUnknown));
        Assert.Equal(0, report.Splits[1].UnknownTokens);
        var found = Assert.Single(report.Findings, finding => finding.Kind == FindingKind.Unknown);
        Assert.Contains("the most frequent: \"zebra\", \"зебра\".", found.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public void Unknown_WordsOfTheSecondText_AreNamedToo()
    {
        var report = Of(("train", "sentence1,sentence2,label\na film,a zebra,0\nthe okapi,the zebra,1\n"));
        Assert.Contains("the most frequent: \"zebra\", \"okapi\".", Assert.Single(report.Findings, finding => finding.Kind == FindingKind.Unknown).Summary, StringComparison.Ordinal);
    }

    [Fact]
    public void Languages_ScriptsAndLanguages_AreShares()
    {
        var report = Inspect(
            "this is the best film of all,pos\nit was not good but that is life,neg\nder Film ist nicht gut und zu lang,neg\nэто хороший фильм,pos\n这是一部好电影,pos\n1984,neg\n", "the book is good for you,pos\n");
        var train = report.Splits[0];
        Assert.Equal([("Latin", 3), ("Cyrillic", 1), ("Han", 1), ("no letters", 1)], train.Scripts.Select(script => (script.Name, script.Rows)));
        Assert.Equal([("English", 2), ("German", 1)], train.Languages.Select(language => (language.Name, language.Rows)));
        Assert.Equal(2, report.Findings.Count(finding => finding.Kind == FindingKind.Languages));
        Assert.Equal(7, train.Words.Max - 1);                                // seven ideographs and more: a word each
        Assert.DoesNotContain(report.Findings, finding => finding.Kind == FindingKind.OneWord && finding.Examples.Any(example => example.Rows[0].Text.StartsWith('这')));
    }

    [Fact]
    public void Classes_MissingRareAndMisspelled_AreFound()
    {
        var train = string.Concat(Enumerable.Range(0, 60).Select(i => $"film {i},{(i < 55 ? "positive" : i < 57 ? "postive" : "Positive ")}\n"));
        var report = Inspect(train, "a film,positive\nbad,negative\n");
        var spellings = Assert.Single(report.Findings, finding => finding.Kind == FindingKind.LabelSpellings);
        Assert.Equal(2, spellings.Rows);
        Assert.Contains("\"Positive \" (3 rows) and \"positive\" (56)", spellings.Summary, StringComparison.Ordinal);
        Assert.Contains("\"postive\" (2 rows) and \"positive\" (56)", spellings.Summary, StringComparison.Ordinal);
        Assert.Contains("\"negative\"", Assert.Single(report.Findings, finding => finding.Kind == FindingKind.MissingClasses).Summary, StringComparison.Ordinal);
        Assert.Equal(2, Assert.Single(report.Findings, finding => finding.Kind == FindingKind.Imbalance).Rows);
    }

    [Fact]
    public void OneClass_Only_IsAWarning()
    {
        var report = Of(("train", "text,label\na film,pos\nthe book,pos\n"));
        Assert.Contains("has the label \"pos\"", Assert.Single(report.Findings, finding => finding.Kind == FindingKind.MissingClasses).Summary, StringComparison.Ordinal);
    }

    [Fact]
    public void Shifts_OfLengthAndLabels_AreFoundWhereTheyAreNoChance()
    {
        string Rows(int count, int words, int positive) => string.Concat(Enumerable.Range(0, count).Select(i => $"{string.Join(' ', Enumerable.Repeat("film", words + i % 3))} {i},{(i % 10 < positive ? "pos" : "neg")}\n"));
        FindingKind[] Shifts(string train, string other) => [.. Inspect(train, other).Findings.Select(finding => finding.Kind).Where(kind => kind is FindingKind.LengthShift or FindingKind.LabelShift)];
        Assert.Equal([FindingKind.LengthShift, FindingKind.LabelShift], Shifts(Rows(300, 4, 5), Rows(200, 12, 8)));
        Assert.Empty(Shifts(Rows(300, 4, 5), Rows(200, 4, 5)));
        Assert.Empty(Shifts(Rows(300, 4, 5), Rows(3, 5, 5)));
    }

    [Fact]
    public void WithoutLabels_AndRegression_HaveNoClasses()
    {
        var texts = Of(("test", "text\na film\na film\n"));
        Assert.Equal((0, false, null), (texts.Splits[0].Classes.Count, texts.Splits[0].Labelled, texts.Splits[0].Targets));
        Assert.Equal(FindingKind.Duplicates, Assert.Single(texts.Findings).Kind);
        var numbers = Of(("train", "text,score\na film,1.5\na film,2.5\nthe book,4.5\n"));
        Assert.Equal((1.5, 4.5), (numbers.Splits[0].Targets!.Min, numbers.Splits[0].Targets!.Max));
        Assert.Contains(numbers.Findings, finding => finding.Kind == FindingKind.Conflicts && finding.Rows == 2);
    }

    [Fact]
    public void SeveralLabels_SetsThatDiffer_AreConflicts()
    {
        var report = Of(("train", "{\"text\": \"a film\", \"labels\": [\"x\", \"y\"]}\n{\"text\": \"a film\", \"labels\": [\"x\"]}\n{\"text\": \"good\", \"labels\": [\"y\"]}\n{\"text\": \"good\", \"labels\": [\"y\"]}\n"));
        Assert.Equal(2, Assert.Single(report.Findings, finding => finding.Kind == FindingKind.Conflicts).Rows);
        Assert.Equal([("x", 2), ("y", 3)], report.Splits[0].Classes.Select(one => (one.Name, one.Rows)));
    }

    [Fact]
    public void Examples_None_AreNone() =>
        Assert.All(Of(new InspectionOptions { Examples = 0 }, ("train", "text,label\na,p\na,q\na,p\nb,p\n")).Findings, finding => Assert.Empty(finding.Examples));

    private InspectionReport Inspect(string train, string validation) => Of(("train", "text,label\n" + train), ("validation", "text,label\n" + validation));

    private InspectionReport Of(params (string Name, string Text)[] splits) => Of(new InspectionOptions(), splits);

    private InspectionReport Of(InspectionOptions options, params (string Name, string Text)[] splits)
    {
        var data = new DatasetDict(splits.Select(split =>
            KeyValuePair.Create(split.Name, Dataset.FromFile(_folder.Write(split.Name + (split.Text[0] == '{' ? ".jsonl" : ".csv"), split.Text)))));
        return InspectionReport.Of(data, ClassificationColumns.Find(data), Tokenizer, options);
    }
}
