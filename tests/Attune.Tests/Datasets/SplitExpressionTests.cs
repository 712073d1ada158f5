using Attune.Datasets;
using CsCheck;

namespace Attune.Tests.Datasets;

public class SplitExpressionTests
{
    private static DatasetDict Splits(int train, int test = 10) => new(new Dictionary<string, Dataset>
    {
        ["train"] = Dataset.FromEnumerable(Enumerable.Range(0, train).Select(row => new { row })),
        ["test"] = Dataset.FromEnumerable(Enumerable.Range(0, test).Select(row => new { row = 1000 + row })),
    });

    private static long[] Rows(string expression, int train = 100) =>
        [.. SplitExpression.Parse(expression).Of(Splits(train)).Column<long?>("row").Select(row => row!.Value)];

    private static string Refused(string expression, int train = 100) =>
        Assert.Throws<AttuneException>(() => SplitExpression.Parse(expression).Of(Splits(train))).Message;

    [Theory]
    [InlineData("train", 100, 0, 100)]
    [InlineData("train[:10%]", 100, 0, 10)]
    [InlineData("train[10:20]", 100, 10, 20)]
    [InlineData("train[-20%:]", 100, 80, 100)]
    [InlineData("train[-5:]", 100, 95, 100)]
    [InlineData("train[15%:-20%]", 100, 15, 80)]
    [InlineData("train[:200]", 100, 0, 100)]
    [InlineData("train[-200:]", 100, 0, 100)]
    [InlineData("train[1_0:1_5]", 100, 10, 15)]
    [InlineData("train[:]", 7, 0, 7)]
    [InlineData("train[:33%]", 10, 0, 3)]
    [InlineData("train[50%:]", 5, 2, 5)]                     // 2.5 rows: to the even one, as Python rounds
    [InlineData("train[:70%]", 5, 0, 4)]                     // 3.5 rows likewise
    [InlineData("train[10%:20]", 50, 5, 10)]                 // one bound in percent, so both
    [InlineData("train[:10%](closest)", 155, 0, 16)]
    [InlineData("train[:10%](pct1_dropremainder)", 155, 0, 10)]
    [InlineData("train[-10%:](pct1_dropremainder)", 155, 145, 155)]
    public void Of_Slice_IsTheRowsOfDatasets(string expression, int rows, int from, int to) =>
        Assert.Equal(Enumerable.Range(from, to - from).Select(row => (long)row), Rows(expression, rows));

    [Fact]
    public void Of_Sum_IsInTheOrderOfTheExpression() =>
        Assert.Equal([1000L, 1001, 98, 99], Rows("test[:2] + train[98%:]"));

    [Fact]
    public void Of_ConsecutivePercents_CoverEveryRowOnce() => Gen.Int[1, 2000].Sample(rows =>
        Rows(string.Join('+', Enumerable.Range(0, 10).Select(i => $"train[{i * 10}%:{(i + 1) * 10}%]")), rows)
            .SequenceEqual(Enumerable.Range(0, rows).Select(row => (long)row)), iter: 50);

    [Theory]
    [InlineData("trian", "There is no split \"trian\"; there is train, test. Did you mean \"train\"?")]
    [InlineData("train+dev", "There is no split \"dev\", which \"train+dev\" names; there is train, test.")]
    [InlineData("train[5:5]", "\"train[5:5]\" names no row: train has 100; take a larger part.")]
    [InlineData("train[5]", "it is no split, or split[from:to]")]
    [InlineData("train[:10.5%]", "it is no split, or split[from:to]")]
    [InlineData("train[:101%]", "a percentage lies between -100 and 100")]
    [InlineData("train[-2147483648%:]", "a percentage lies between -100 and 100")]
    [InlineData("train[:99999999999]", "99999999999 is no number of rows")]
    [InlineData("train[:1%](up)", "the rounding is closest or pct1_dropremainder")]
    [InlineData("train[:1%](pct1_dropremainder)", "of which a percent rounded down is none", 99)]
    [InlineData("", "it is no split")]
    [InlineData("train+", "it is no split")]
    public void Of_Odd_SaysWhatIsWrong(string expression, string part, int rows = 100) => Assert.Contains(part, Refused(expression, rows), StringComparison.Ordinal);
}
