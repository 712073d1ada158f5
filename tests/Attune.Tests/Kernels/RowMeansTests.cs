using Attune.Kernels;

namespace Attune.Tests.Kernels;

[Collection("torch")]
public sealed unsafe class RowMeansTests
{
    private const int Hidden = 2;

    /// <summary>Of row 1 the mask hides two of its four tokens.</summary>
    private static readonly Sequences Rows = new([0, 2, 6], null, 0, null, [false, false, true, true, false, false]);

    [Fact]
    public void Forward_TakesTheMeanOfWhatTheMaskShows()
    {
        float[] x = [1, 2, 3, 6, 100, 100, 100, 100, 5, 0, 9, 2];
        var means = new float[4];
        fixed (float* from = x, to = means) RowMeans.Forward(from, Rows, Hidden, to);
        Assert.Equal([2, 4, 7, 1], means);
    }

    [Fact]
    public void Backward_SharesTheGradientAmongThem()
    {
        float[] gradient = [2, 4, 6, 8];
        var x = new float[12];
        fixed (float* from = gradient, to = x) RowMeans.Backward(from, Rows, Hidden, to);
        Assert.Equal([1, 2, 1, 2, 0, 0, 0, 0, 3, 4, 3, 4], x);
    }
}
