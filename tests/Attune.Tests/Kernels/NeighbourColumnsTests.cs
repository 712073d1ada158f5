using Attune.Kernels;

namespace Attune.Tests.Kernels;

[Collection("torch")]
public sealed unsafe class NeighbourColumnsTests
{
    private const int Hidden = 2, Size = 3;

    /// <summary>Row 1 lacks column 2: columns 1 and 3 are not neighbours.</summary>
    private static readonly Sequences Rows = new([0, 2, 5], null, 7, [0, 1, 0, 1, 3]);

    [Fact]
    public void Gather_RowsWithHoles_ReadsColumnsAndNotTokens()
    {
        var x = Enumerable.Range(1, 10).Select(value => (float)value).ToArray();
        var output = new float[5 * Hidden * Size];
        fixed (float* from = x, to = output) NeighbourColumns.Gather(from, Rows, Hidden, Size, to);
        Assert.Equal(
            [0, 1, 3, 0, 2, 4, 1, 3, 0, 2, 4, 0, 0, 5, 7, 0, 6, 8, 5, 7, 0, 6, 8, 0, 0, 9, 0, 0, 10, 0],
            output);
    }

    /// <summary>Its backward is its transpose.</summary>
    [Fact]
    public void AddGradient_IsTheTranspose()
    {
        var random = new Random(1);
        float[] x = Draw(5 * Hidden), y = Draw(5 * Hidden * Size), there = new float[y.Length], back = new float[x.Length];
        fixed (float* a = x, b = y, to = there, from = back)
        {
            NeighbourColumns.Gather(a, Rows, Hidden, Size, to);
            NeighbourColumns.AddGradient(b, Rows, Hidden, Size, from);
        }
        Assert.Equal(there.Zip(y, (p, q) => (double)p * q).Sum(), back.Zip(x, (p, q) => (double)p * q).Sum(), 1e-5);

        float[] Draw(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle())];
    }
}
