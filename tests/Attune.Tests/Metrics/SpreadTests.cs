using Attune.Metrics;

namespace Attune.Tests.Metrics;

public sealed class SpreadTests
{
    /// <summary>The figures of any printed table of Student's t.</summary>
    [Theory]
    [InlineData(1, 12.7062047)]
    [InlineData(2, 4.30265273)]
    [InlineData(4, 2.77644511)]
    [InlineData(9, 2.26215716)]
    [InlineData(30, 2.04227246)]
    [InlineData(1000, 1.96233908)]
    public void StudentT_95Percent_IsThatOfTheTables(int degrees, double expected) => Assert.Equal(expected, StudentT.TwoSided(0.95, degrees), 1e-7);

    [Fact]
    public void StudentT_OtherProbabilities_AreThoseOfTheTables()
    {
        Assert.Equal(1, StudentT.TwoSided(0.5, 1), 1e-9);
        Assert.Equal(4.60409487, StudentT.TwoSided(0.99, 4), 1e-7);
    }

    [Fact]
    public void Of_FiveValues_HasMeanDeviationAndInterval()
    {
        var spread = Spread.Of([2, 4, 4, 4, 6]);
        Assert.Equal((5, 4, Math.Sqrt(2)), (spread.Runs, spread.Mean, spread.Deviation));
        Assert.Equal(2.77644511 * Math.Sqrt(2.0 / 5), spread.HalfWidth!.Value, 1e-7);
    }

    [Fact]
    public void Of_OneValue_HasNoSpread() => Assert.Equal((1, 3, null, null), (Spread.Of([3]).Runs, Spread.Of([3]).Mean, Spread.Of([3]).Deviation, Spread.Of([3]).HalfWidth));
}
