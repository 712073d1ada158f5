using Attune.Models;

namespace Attune.Tests.Models;

public sealed class RelativeBucketsTests
{
    /// <summary>The largest distance of each bucket, as T5's formula has them: 8 exact ones, then 8 that grow by half an octave.</summary>
    [Theory]
    [InlineData(0, 0), InlineData(7, 7), InlineData(8, 8), InlineData(11, 8), InlineData(12, 9), InlineData(16, 10), InlineData(31, 11), InlineData(32, 12)]
    [InlineData(64, 14), InlineData(127, 15), InlineData(128, 15), InlineData(500, 15), InlineData(-1, 17), InlineData(-8, 24), InlineData(-600, 31)]
    public void MPNet_Distance_HasItsBucket(int distance, int bucket) => Assert.Equal(bucket, RelativeBuckets.MPNet(distance));

    /// <summary>DeBERTa-v3-base: 256 buckets for 512 positions.</summary>
    [Theory]
    [InlineData(0, 256), InlineData(1, 257), InlineData(-128, 128), InlineData(128, 384), InlineData(129, 385), InlineData(511, 511), InlineData(-511, 1), InlineData(3000, 511), InlineData(-3000, 0)]
    public void DebertaV2_Distance_HasItsEmbedding(int distance, int embedding) => Assert.Equal(embedding, RelativeBuckets.DebertaV2(distance, 256, 512));

    [Theory]
    [InlineData(0, 40), InlineData(39, 79), InlineData(-40, 0), InlineData(55, 79), InlineData(-55, 0)]
    public void DebertaV2_WithoutBuckets_IsTheDistance(int distance, int embedding) => Assert.Equal(embedding, RelativeBuckets.DebertaV2(distance, -1, 40));

    /// <summary>Neighbours share a bucket or have the next one.</summary>
    [Fact]
    public void DebertaV2_Distances_AreInOrder()
    {
        var table = RelativeBuckets.Table(600, distance => RelativeBuckets.DebertaV2(distance, 256, 512));
        for (var i = 1; i < table.Length; i++) Assert.InRange(table[i] - table[i - 1], 0, 1);
    }
}
