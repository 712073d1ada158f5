using Attune.Batching;
using CsCheck;

namespace Attune.Tests.Batching;

public sealed class FoldTests
{
    [Fact]
    public void Cut_AnyRows_EachIsEvaluatedOnceAndFoldsAndClassesDifferByAtMostOne() => Gen.Int[0, 3].Array[2, 60].Select(Gen.Int[2, 7], Gen.Long).Sample((classes, count, seed) =>
    {
        if (classes.Length < count) return;
        var rows = Rows(classes);
        var folds = Enumerable.Range(1, count).Select(number => new Fold(number, count).Cut(rows, seed)).ToList();
        Assert.Equal(Enumerable.Range(0, classes.Length), folds.SelectMany(fold => Numbers(fold.Evaluated)).Order());
        foreach (var (train, evaluated) in folds)
        {
            Assert.Equal(Enumerable.Range(0, classes.Length), Numbers(train).Concat(Numbers(evaluated)).Order());
            Assert.Equal(Numbers(train).Order(), Numbers(train));
            Assert.All(new[] { train, evaluated }, part => Assert.Equal(Numbers(part).Select(row => (long)classes[row]), ((ClassLabels)part.Labels!).Values));
        }
        AtMostOneApart(folds.Select(fold => fold.Evaluated.Count));
        for (var label = 0; label <= 3; label++) AtMostOneApart(folds.Select(fold => ((ClassLabels)fold.Evaluated.Labels!).Values.Count(value => value == label)));
    });

    [Fact]
    public void Cut_OtherSeed_IsAnotherCut()
    {
        var rows = Rows(new int[40]);
        Assert.Equal(Numbers(new Fold(1, 4).Cut(rows, 7).Evaluated), Numbers(new Fold(1, 4).Cut(rows, 7).Evaluated));
        Assert.NotEqual(Numbers(new Fold(1, 4).Cut(rows, 7).Evaluated), Numbers(new Fold(1, 4).Cut(rows, 8).Evaluated));
    }

    [Fact]
    public void Cut_FewEvaluated_AreTheFirstOfThem()
    {
        var (all, few) = (new Fold(1, 4).Cut(Rows(new int[40]), 7), new Fold(1, 4).Cut(Rows(new int[40]), 7, mostEvaluated: 3));
        Assert.Equal(Numbers(all.Evaluated).Take(3), Numbers(few.Evaluated));
        Assert.Equal(Numbers(all.Train), Numbers(few.Train));
    }

    [Fact]
    public void Cut_RowsOfNumbers_AreDealtOutToo()
    {
        var rows = new TokenizedDataset([.. Enumerable.Range(0, 10).Select(row => new TokenizedRow([row]))], new RegressionTargets([.. Enumerable.Range(0, 10).Select(row => (float)row)]));
        var (train, evaluated) = new Fold(2, 5).Cut(rows, 1);
        Assert.Equal((8, 2), (train.Count, evaluated.Count));
        Assert.Equal(Numbers(evaluated).Select(row => (float)row), ((RegressionTargets)evaluated.Labels!).Values);
    }

    [Theory]
    [InlineData("0/5")]
    [InlineData("6/5")]
    [InlineData("1/1")]
    [InlineData("2")]
    [InlineData("a/b")]
    [InlineData("-1/5")]
    public void Parse_NoFold_IsRefused(string text) =>
        Assert.StartsWith($"fold is {text}; give its number", Assert.Throws<AttuneException>(() => Fold.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Cut_FewerRowsThanFolds_IsRefused() =>
        Assert.StartsWith("The training set has 3 texts, too few for 4 folds", Assert.Throws<AttuneException>(() => new Fold(1, 4).Cut(Rows([0, 1, 0]), 1)).Message, StringComparison.Ordinal);

    private static TokenizedDataset Rows(int[] classes) =>
        new([.. classes.Select((_, row) => new TokenizedRow([row]))], new ClassLabels(Array.ConvertAll(classes, label => (long)label)));

    private static int[] Numbers(TokenizedDataset rows) => [.. rows.Rows.Select(row => row.InputIds[0])];

    private static void AtMostOneApart(IEnumerable<int> counts)
    {
        var all = counts.ToList();
        Assert.InRange(all.Max() - all.Min(), 0, 1);
    }
}
