using Attune.Batching;
using CsCheck;

namespace Attune.Tests.Batching;

/// <summary>Batches by their tokens: every row once, and none more than fits.</summary>
public sealed class TokenBatchesTests
{
    [Fact]
    public void Starts_AnyRows_AreFullToTheLastRowThatFits() => Gen.Select(Gen.Int[1, 30].Array[0, 60], Gen.Int[1, 70]).Sample((lengths, most) =>
    {
        var starts = TokenBatches.Starts(lengths.Length, row => lengths[row], most);
        Assert.Equal(lengths.Length, starts[^1]);
        for (var batch = 0; batch < starts.Length - 1; batch++)
        {
            var rows = lengths[starts[batch]..starts[batch + 1]];
            Assert.NotEmpty(rows);
            Assert.True(rows.Length == 1 || rows.Sum() <= most);
            if (starts[batch + 1] < lengths.Length) Assert.True(rows.Sum() + lengths[starts[batch + 1]] > most);
        }
        Assert.Equal(lengths.Length == 0 ? [0] : [0, lengths.Length], (int[])[.. starts.Take(1), .. starts.Skip(1).TakeLast(1)]);
    });

    [Fact]
    public void EpochSizes_OfAnyEpoch_AreThoseOfItsBatches()
    {
        var random = new Random(1);
        var data = new TokenizedDataset([.. Enumerable.Range(0, 50).Select(_ => new TokenizedRow([.. Enumerable.Range(0, random.Next(1, 20))]))]);
        var loader = new DataLoader(data, 1, Sampler.Random(50, seed: 3)) { MaxTokens = 40 };
        var sizes = new EpochSizes(loader, gradientAccumulationSteps: 2);
        Assert.Equal(loader.Rows(4).Count, sizes.BatchesIn(4));
        var updates = Enumerable.Range(0, 5).SelectMany(epoch => loader.RowsOfUpdates(epoch, 2)).Select(update => update.Sum(batch => batch.Length)).ToList();
        Assert.Equal((updates.Min(), updates.Max(), updates.Average()), sizes.Rows);
        Assert.True(Enumerable.Range(0, 5).Select(epoch => sizes.BatchesIn(epoch)).Distinct().Count() > 1, "all epochs have as many batches, so nothing is shown");
        for (var epoch = 0; epoch < 5; epoch++) Assert.Equal(Enumerable.Range(0, 50), loader.Rows(epoch).SelectMany(rows => rows).Order());
    }
}
