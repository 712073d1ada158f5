using Attune.Datasets;
using Attune.Inspection;
using Attune.Tokenization;
using CsCheck;

namespace Attune.Tests.Inspection;

public sealed class SameTextsTests
{
    private static readonly BertTokenizer Tokenizer = BertTokenizer.FromVocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]"]);

    /// <summary>Few short texts of two letters in both cases, so that every kind of sameness comes often; compared with counting them one by one.</summary>
    [Fact]
    public void Counts_OfAnyTexts_EqualThoseOfComparingAll() =>
        Gen.Select(Rows, Rows).Sample((train, test) =>
        {
            var data = new DatasetDict([KeyValuePair.Create("train", Of(train)), KeyValuePair.Create("test", Of(test))]);
            var columns = ClassificationColumns.Find(data);
            var found = SameTexts.Find([ScannedSplit.Of("train", data["train"], columns, Tokenizer), ScannedSplit.Of("test", data["test"], columns, Tokenizer)], columns.LabelNames, 3);
            var (one, two) = (Keys(train, fold: false), Keys(test, fold: false));
            var (folded, other) = (Keys(train, fold: true), Keys(test, fold: true));
            Assert.Equal(one.Count - one.Distinct().Count(), found.Duplicates[0].Exact);
            Assert.Equal(folded.Count - folded.Distinct().Count(), found.Duplicates[0].Rows);
            Assert.Equal(two.Count(one.Contains), found.Leaks[0, 1].Exact);
            Assert.Equal(other.Count(folded.Contains), found.Leaks[0, 1].Rows);
            var conflicting = train.Concat(test).Where(row => row.Text.Trim().Length > 0).GroupBy(row => row.Text.Trim())
                .Where(rows => rows.Select(row => row.Label).Distinct().Count() > 1).ToList();
            Assert.Equal((conflicting.Count, conflicting.Sum(rows => rows.Count())), (found.ConflictingTexts.Exact, (int)found.Conflicts.Exact));
        }, iter: 300);

    private static Gen<(string Text, string Label)[]> Rows => Gen.Select(
        Gen.String[Gen.Char[" aAbß"], 0, 4], Gen.Bool.Select(isFirst => isFirst ? "x" : "y")).Array[1, 12];

    private static Dataset Of((string Text, string Label)[] rows) => Dataset.FromEnumerable(rows.Select(row => new { text = row.Text, label = row.Label }));

    private static List<string> Keys((string Text, string Label)[] rows, bool fold) =>
        [.. rows.Select(row => row.Text.Trim()).Where(text => text.Length > 0).Select(text => fold ? text.ToUpperInvariant() : text)];
}
