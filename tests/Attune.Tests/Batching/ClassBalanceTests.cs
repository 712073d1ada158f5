using Attune.Batching;
using CsCheck;

namespace Attune.Tests.Batching;

/// <summary>Orders in which rare classes come as often as frequent ones.</summary>
public sealed class ClassBalanceTests
{
    private static readonly ClassLabels Skewed = new([.. Enumerable.Range(0, 100).Select(row => row < 6 ? 1L : row < 10 ? 2L : 0L)]);

    [Fact]
    public void Balanced_AnyClasses_ComeEquallyOftenAndNoRowTwiceBeforeAllOnce() => Gen.Select(
        Gen.Long[0, 4].Array[1, 60], Gen.Long, Gen.Int[1, 8]).Sample((labels, seed, epochs) =>
        {
            var sampler = Sampler.Balanced(new ClassLabels(labels), seed);
            var orders = Enumerable.Range(0, epochs).Select(sampler.Order).ToList();
            var classes = labels.Index().GroupBy(row => row.Item, row => row.Index).ToList();
            foreach (var order in orders)
            {
                Assert.Equal(labels.Length, order.Length);
                var counts = classes.ConvertAll(rows => order.Count(row => labels[row] == rows.Key));
                Assert.True(counts.Max() - counts.Min() <= 1, string.Join(' ', counts));
            }
            foreach (var rows in classes)
            {
                var times = rows.Select(row => orders.Sum(order => order.Count(other => other == row))).ToList();
                Assert.True(times.Max() - times.Min() <= 1, string.Join(' ', times));
            }
        });

    [Fact]
    public void Weighted_ManyEpochs_EachClassHasItsShare()
    {
        var sampler = Sampler.Weighted(Skewed, seed: 3);
        var rows = Enumerable.Range(0, 90).SelectMany(sampler.Order).ToList();
        // 9,000 draws with probability 1/3: five standard deviations are 0.025.
        foreach (var label in new[] { 0L, 1, 2 })
            Assert.InRange(rows.Count(row => Skewed.Values[row] == label) / 9000.0, 1 / 3.0 - 0.025, 1 / 3.0 + 0.025);
        foreach (var row in Enumerable.Range(6, 4)) Assert.InRange(rows.Count(other => other == row) / 9000.0, 1 / 12.0 - 0.015, 1 / 12.0 + 0.015);
    }

    [Theory, InlineData(true), InlineData(false)]
    public void Order_AnyEpoch_IsAPureFunctionOfSeedAndEpoch(bool isBalanced)
    {
        Sampler Make(long seed) => isBalanced ? Sampler.Balanced(Skewed, seed) : Sampler.Weighted(Skewed, seed);
        var first = Make(5);
        _ = first.Order(0);
        Assert.Equal(first.Order(7), Make(5).Order(7));
        Assert.NotEqual(first.Order(7), first.Order(8));
        Assert.NotEqual(first.Order(7), Make(6).Order(7));
        Assert.NotEqual(first.Order(7), Make(5 + (1L << 32)).Order(7));
    }

    [Fact]
    public void Balanced_SeveralLabels_EachLabelAndTheRowsWithNoneComeEquallyOften()
    {
        // Label 0 in all rows but the last two, label 1 in rows 0 to 2, none in the last two.
        var labels = new MultiLabels([.. Enumerable.Range(0, 30).SelectMany(row => new[] { row < 28 ? 1f : 0, row < 3 ? 1f : 0 })], 2);
        var order = Sampler.Balanced(labels, seed: 1).Order(0);
        Assert.Equal(10, order.Count(row => row >= 28));
        Assert.InRange(order.Count(row => row < 3), 10, 20);
    }

    [Theory, InlineData(true), InlineData(false)]
    public void Labels_IgnoredOrNumbers_AreLeftOutOrRefused(bool isBalanced)
    {
        Sampler Make(Labels labels) => isBalanced ? Sampler.Balanced(labels, 1) : Sampler.Weighted(labels, 1);
        var order = Make(new ClassLabels([0, ClassLabels.Ignored, 1, 0, ClassLabels.Ignored])).Order(2);
        Assert.Equal(5, order.Length);
        Assert.DoesNotContain(1, order);
        Assert.DoesNotContain(4, order);
        Assert.Equal("sampling is for classes, but the labels are numbers; leave it out.",
            Assert.Throws<AttuneException>(() => Make(new RegressionTargets([1, 2]))).Message);
        Assert.Throws<AttuneException>(() => Make(new ClassLabels([ClassLabels.Ignored])));
    }

    [Fact]
    public void WithLengthsTogether_DrawnRows_AreTheSameRowsSorted()
    {
        int[] lengths = [.. Enumerable.Range(0, 100).Select(row => row * 37 % 50)];
        var drawn = Sampler.Weighted(Skewed, seed: 3);
        var grouped = drawn.WithLengthsTogether(lengths, rowsPerUpdate: 4);
        Assert.Equal(drawn.Order(2).Order(), grouped.Order(2).Order());
        // 100 rows in batches of 4 make groups of 6 batches, each from its longest row down; the first two rows of a group may have changed places.
        foreach (var group in grouped.Order(2).Chunk(24).Skip(1))
            Assert.Equal(group.Skip(1).Select(row => lengths[row]).OrderDescending(), group.Skip(1).Select(row => lengths[row]));
    }
}
