using Attune.Datasets;

namespace Attune.Tests.Datasets;

public class TextChecksTests
{
    private static Dataset Rows(IEnumerable<string> texts) => Dataset.FromEnumerable(texts.Select((text, i) => new { text, label = i % 2 == 0 ? "a" : "b" }));

    [Fact]
    public void Of_TextsThatStandOften_CountsEveryRowOnce()
    {
        var train = Rows(Enumerable.Repeat("often", 20_000).Append("once").Append("only here"));
        var validation = Rows(Enumerable.Range(0, 5).Select(i => $"another {i}").Append("once").Concat(Enumerable.Repeat("often", 5_000)));
        var splits = new DatasetDict([KeyValuePair.Create("train", train), KeyValuePair.Create("validation", validation)]);
        var told = Assert.Single(TextChecks.Of(splits, ClassificationColumns.Find(splits)));
        Assert.StartsWith("Warning: 5001 rows of the 5006 of the split validation have a text that stands in train too (the first: ", told, StringComparison.Ordinal);
        Assert.Contains($"{validation.PlaceOf(6)}, and {train.PlaceOf(0)})", told, StringComparison.Ordinal);
    }
}
