using Attune.Datasets;
using CsCheck;

namespace Attune.Tests.Datasets;

public sealed class DatasetTests
{
    private enum Mood
    {
        Sad,
        Glad,
    }

    private sealed record Review(string Text, int Stars, Mood Mood, double? Price, string[] Tags);

    private static Dataset Numbered(int rows) => Dataset.FromEnumerable(Enumerable.Range(0, rows).Select(i => new { text = $"row {i}", label = i % 3 }));

    [Fact]
    public void FromEnumerable_Records_GivesTypedColumnsInOrder()
    {
        var data = Dataset.FromEnumerable(new[]
        {
            new Review("fine", 4, Mood.Glad, 1.5, ["quick"]),
            new Review("poor", 1, Mood.Sad, null, []),
        });

        Assert.Equal(["Text", "Stars", "Mood", "Price", "Tags"], data.ColumnNames);
        Assert.Equal(FeatureType.String, data.Features["Text"]);
        Assert.Equal(FeatureType.Int64, data.Features["Stars"]);
        Assert.Equal(new ClassLabel(["Sad", "Glad"]), data.Features["Mood"]);
        Assert.Equal(FeatureType.Float64, data.Features["Price"]);
        Assert.Equal(new Sequence(FeatureType.String), data.Features["Tags"]);
        Assert.Equal([1L, 0L], data.Column<long?>("Mood").Select(value => value!.Value));
        Assert.Null(data[1]["Price"]);
        Assert.Equal(["quick"], (string[])data[0]["Tags"]!);
    }

    [Fact]
    public async Task FromAsyncEnumerable_Stream_EqualsFromEnumerable()
    {
        static async IAsyncEnumerable<object> Stream()
        {
            for (var i = 0; i < 3; i++)
            {
                await Task.Yield();
                yield return new { text = $"{i}" };
            }
        }

        // The properties are those of the declared type; object has none.
        var error = await Assert.ThrowsAsync<AttuneException>(() => Dataset.FromAsyncEnumerable(Stream(), TestContext.Current.CancellationToken));
        Assert.Contains("no public properties", error.Message, StringComparison.Ordinal);

        static async IAsyncEnumerable<Review> Reviews()
        {
            await Task.Yield();
            yield return new Review("fine", 4, Mood.Glad, 2, []);
        }

        var data = await Dataset.FromAsyncEnumerable(Reviews(), TestContext.Current.CancellationToken);
        Assert.Equal(1, data.NumRows);
        Assert.Equal("fine", data[0]["Text"]);
    }

    [Fact]
    public void FromRows_RowsWithDifferentKeys_FillsWithNull()
    {
        var data = Dataset.FromRows(
        [
            new Dictionary<string, object?> { ["a"] = 1 },
            new Dictionary<string, object?> { ["b"] = "x", ["a"] = 2.5 },
            new Dictionary<string, object?>(),
        ]);

        Assert.Equal([1.0, 2.5, null], data.Column<double?>("a"));
        Assert.Equal([null, "x", null], data.Column<string?>("b"));
    }

    [Fact]
    public void FromRows_TextAmongNumbers_NamesColumnAndRow()
    {
        var error = Assert.Throws<AttuneException>(() => Dataset.FromRows(
            [new Dictionary<string, object?> { ["a"] = 1 }, new Dictionary<string, object?> { ["a"] = "one" }]));
        Assert.Equal("row 2: the column \"a\" holds the text \"one\" here and int64 before; make the column of one type.", error.Message);
    }

    [Fact]
    public void Map_ReturnedColumns_AreMergedAndOthersKept()
    {
        var data = Numbered(4).CastColumn("label", new ClassLabel(["a", "b", "c"]));
        var mapped = data.Map(row => new Dictionary<string, object?>
        {
            ["length"] = ((string)row["text"]!).Length,
            ["label"] = ((long)row["label"]! + 1) % 3,
        }, "text");

        Assert.Equal(["label", "length"], mapped.ColumnNames);
        Assert.Equal(data.Features["label"], mapped.Features["label"]);
        Assert.Equal([1L, 2L, 0L, 1L], mapped["label"]);
        Assert.Equal(["text", "label"], data.ColumnNames);
    }

    [Fact]
    public void MapBatched_AnyBatchSize_EqualsMap() =>
        Gen.Select(Gen.Int[1, 40], Gen.Int[1, 50]).Sample((rows, batchSize) =>
        {
            var data = Numbered(rows);
            var byRow = data.Map(row => new Dictionary<string, object?> { ["twice"] = 2 * (long)row["label"]! });
            var byBatch = data.MapBatched(batch => new Dictionary<string, IReadOnlyList<object?>>
            {
                ["twice"] = [.. batch["label"].Select(label => (object?)(2 * (long)label!))],
            }, batchSize);
            Assert.Equal(byRow["twice"], byBatch["twice"]);
            Assert.Equal(byRow.ColumnNames, byBatch.ColumnNames);
        });

    [Fact]
    public void MapBatched_MoreRowsThanGiven_NeedsOldColumnsRemoved()
    {
        var data = Numbered(3);
        Dataset Doubled(params string[] remove) => data.MapBatched(batch => new Dictionary<string, IReadOnlyList<object?>>
        {
            ["word"] = [.. batch["text"].SelectMany(text => ((string)text!).Split(' '))],
        }, removeColumns: remove);

        Assert.Equal(["row", "0", "row", "1", "row", "2"], Doubled("text", "label")["word"]);
        Assert.Contains("name it among the columns to remove", Assert.Throws<AttuneException>(() => Doubled()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Shuffle_SameSeed_IsSamePermutation() =>
        Gen.Select(Gen.Int[1, 60], Gen.Long).Sample((rows, seed) =>
        {
            var data = Numbered(rows);
            var shuffled = data.Shuffle(seed);
            Assert.Equal(shuffled["text"], data.Shuffle(seed)["text"]);
            Assert.Equal(data["text"].Order(), shuffled["text"].Order());
        });

    [Fact]
    public void Shuffle_KnownSeed_KeepsItsOrderForever() =>
        Assert.Equal([4L, 3L, 2L, 0L, 7L, 6L, 1L, 5L], Dataset.FromEnumerable(Enumerable.Range(0, 8).Select(i => new { i })).Shuffle(42)["i"]);

    [Fact]
    public void Shuffle_ManySeeds_FavoursNoPlace()
    {
        // 6 orders of 3 rows, 6,000 draws: each 1,000 +- 29; five standard deviations.
        var counts = Enumerable.Range(0, 6000).GroupBy(seed => string.Concat(SeededOrder.Permutation(3, (ulong)seed))).ToList();
        Assert.Equal(6, counts.Count);
        Assert.All(counts, count => Assert.InRange(count.Count(), 855, 1145));
    }

    [Fact]
    public void TrainTestSplit_AnySize_PartsAreDisjointAndWhole() =>
        Gen.Select(Gen.Int[3, 80], Gen.Double[0.05, 0.6], Gen.Long).Sample((rows, share, seed) =>
        {
            var data = Numbered(rows);
            var parts = data.TrainTestSplit(share, seed);
            // Rounded up, but for the noise of the product: 41 * (7 / 41.0) is a little over 7.
            Assert.Equal(Enumerable.Range(0, rows).First(count => rows * share <= count + 5e-10), parts["test"].NumRows);
            Assert.Equal(data["text"].Order(), parts["train"]["text"].Concat(parts["test"]["text"]).Order());
        });

    [Theory]
    [InlineData(41, 7 / 41.0, 7)]
    [InlineData(100, 0.07, 7)]
    [InlineData(41, 0.171, 8)]
    public void TrainTestSplit_NoiseOfTheProduct_IsNoFurtherRow(int rows, double share, int expected) =>
        Assert.Equal(expected, Numbered(rows).TrainTestSplit(share)["test"].NumRows);

    [Fact]
    public void TrainTestSplit_Stratified_KeepsSharesToARow() =>
        Gen.Select(Gen.Int[0, 4].List[10, 90], Gen.Double[0.1, 0.5]).Sample((labels, share) =>
        {
            var data = Dataset.FromEnumerable(labels.Select(label => new { label }));
            var test = data.TrainTestSplit(share, seed: 1, stratifyByColumn: "label")["test"];
            var realShare = (double)test.NumRows / data.NumRows;
            foreach (var group in labels.GroupBy(label => (long)label))
                Assert.InRange(test["label"].Count(label => group.Key.Equals(label)) - realShare * group.Count(), -1, 1);
        });

    [Fact]
    public void TrainTestSplit_ShareOutOfRange_SaysSo() =>
        Assert.Contains("between 0 and 1", Assert.Throws<AttuneException>(() => Numbered(10).TrainTestSplit(2)).Message, StringComparison.Ordinal);

    [Fact]
    public void Select_FilterRenameRemove_ReturnNewDatasets()
    {
        var data = Numbered(6);
        Assert.Equal(["row 5", "row 0", "row 0"], data.Select([5, 0, 0])["text"]);
        Assert.Equal(["row 1", "row 4"], data.Filter(row => row["label"] is 1L)["text"]);
        Assert.Equal(["sentence", "label"], data.RenameColumn("text", "sentence").ColumnNames);
        Assert.Equal(["label"], data.RemoveColumns("text").ColumnNames);
        Assert.Equal(["text", "label"], data.ColumnNames);
        Assert.Equal(6, data.NumRows);
        Assert.Throws<AttuneException>(() => data.Select([6]));
        Assert.Throws<AttuneException>(() => data.RenameColumn("text", "label"));
    }

    [Fact]
    public void RemoveColumns_AbsentColumn_ListsThoseThereAreAndTheNearest() =>
        Assert.Equal("There is no column \"lable\"; the columns are text, label. Did you mean \"label\"?",
            Assert.Throws<AttuneException>(() => Numbered(2).RemoveColumns("lable")).Message);

    [Fact]
    public void WithFormat_SomeColumns_HidesOthersFromRowsOnly()
    {
        var data = Numbered(2).WithFormat("label");
        Assert.Equal(["label"], data[0].Keys);
        Assert.Equal(["label"], data.Select([1])[0].Keys);
        Assert.Equal(["text", "label"], data.ColumnNames);
        Assert.Equal("row 0", data["text"][0]);
        Assert.Equal(["text", "label"], data.WithFormat()[0].Keys);
    }

    [Fact]
    public void CastColumn_NamesToClassLabel_GivesNumbers()
    {
        var data = Dataset.FromEnumerable(new[] { new { label = "pos" }, new { label = "neg" } });
        var cast = data.CastColumn("label", new ClassLabel(["neg", "pos"]));
        Assert.Equal([1L, 0L], cast["label"]);
        Assert.Equal(["pos", "neg"], cast.CastColumn("label", FeatureType.String)["label"]);
        // By name, so another order of the classes gives other numbers.
        Assert.Equal([0L, 1L], cast.CastColumn("label", new ClassLabel(["pos", "neg"]))["label"]);
        Assert.StartsWith("row 2: the column \"label\" is of type ClassLabel(pos, other), which does not allow the text \"neg\"",
            Assert.Throws<AttuneException>(() => data.CastColumn("label", new ClassLabel(["pos", "other"]))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ClassEncodeColumn_Integers_SortsBySize()
    {
        var data = Dataset.FromEnumerable(new[] { 10, 2, 10, 1 }.Select(stars => new { stars })).ClassEncodeColumn("stars");
        Assert.Equal(new ClassLabel(["1", "2", "10"]), data.Features["stars"]);
        Assert.Equal([2L, 1L, 2L, 0L], data["stars"]);
    }

    [Fact]
    public void Concatenate_IntegersAndFloats_GivesFloats()
    {
        var first = Dataset.FromEnumerable(new[] { new { score = 1 } });
        var second = Dataset.FromEnumerable(new[] { new { score = 1.5 } });
        Assert.Equal([1.0, 1.5], Dataset.Concatenate([first, second])["score"]);
        Assert.Throws<AttuneException>(() => Dataset.Concatenate([first, first.RenameColumn("score", "points")]));
    }
}
