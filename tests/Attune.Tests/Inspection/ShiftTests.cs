using Attune.Inspection;

namespace Attune.Tests.Inspection;

public sealed class ShiftTests
{
    [Fact]
    public void Distance_OfSortedValues_IsThatOfTheirDistributions()
    {
        Assert.Equal(0, Shift.Distance<int>([1, 2, 2, 3], [1, 2, 2, 3]));
        Assert.Equal(1, Shift.Distance<int>([1, 2], [3, 4]));
        Assert.Equal(0.5, Shift.Distance<int>([1, 2, 3, 4], [3, 4, 5, 6]));
        Assert.Equal(0.25, Shift.Distance<int>([1, 1, 1, 2], [1, 1, 2, 2]), 12);
    }

    // Of two classes chi-square is the square of a standard normal number: p = 0.00037, 0.00283 and 0.90.
    [Theory]
    [InlineData(new[] { 250, 250 }, new[] { 306, 194 }, true)]
    [InlineData(new[] { 250, 250 }, new[] { 297, 203 }, false)]
    [InlineData(new[] { 250, 250 }, new[] { 252, 248 }, false)]
    [InlineData(new[] { 10, 0 }, new[] { 12, 0 }, false)]
    public void Difference_OfClasses_IsSureFromOnceInAThousandOn(int[] first, int[] second, bool isSure) => Assert.Equal(isSure, Shift.DifferSurely(first, second));

    [Fact]
    public void TotalVariation_IsHalfTheSumOfDifferences() => Assert.Equal(0.2, Shift.TotalVariation([50, 50], [7, 3]), 12);
}
