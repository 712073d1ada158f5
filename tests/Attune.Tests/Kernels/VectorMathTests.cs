using System.Numerics;
using Attune.Kernels;

namespace Attune.Tests.Kernels;

public unsafe class VectorMathTests
{
    [Fact]
    public void Erf_IsExactToAFewUnits()
    {
        for (var x = -6.0; x <= 6; x += 0.001)
            Assert.Equal(ErfSeries(x), VectorMath.Erf(new Vector<float>((float)x))[0], 3e-7);
    }

    [Fact]
    public void Tanh_IsExactToAFewUnits()
    {
        for (var x = -20.0; x <= 20; x += 0.003)
        {
            var expected = Math.Tanh((float)x);
            Assert.Equal(expected, VectorMath.Tanh(new Vector<float>((float)x))[0], 3e-7 * Math.Abs(expected) + 1e-12);
        }
    }

    [Theory]
    [InlineData("gelu")]
    [InlineData("gelu_new")]
    [InlineData("relu")]
    [InlineData("silu")]
    [InlineData("quick_gelu")]
    [InlineData("tanh")]
    [InlineData("sigmoid")]
    [InlineData("linear")]
    public void Activation_BackwardIsTheSlopeOfForward(string name)
    {
        const int columns = 101;
        const float step = 1e-3f;
        var activation = Activation.Named(name);
        float[] x = [.. Enumerable.Range(0, columns).Select(i => (i - 50) / 12f + 0.003f)], bias = new float[columns], gradient = [.. Enumerable.Repeat(1f, columns)];
        float[] above = Values(step), below = Values(-step), sum = new float[columns];
        fixed (float* at = x, slope = gradient, total = sum) activation.Backward(slope, at, total, 1, columns);
        for (var i = 0; i < columns; i++) Assert.Equal((above[i] - below[i]) / (2 * step), gradient[i], 1e-3);
        Assert.Equal(gradient, sum);

        float[] Values(float shift)
        {
            float[] shifted = [.. x.Select(value => value + shift)], result = new float[columns];
            fixed (float* at = shifted, zero = bias, output = result) activation.Forward(at, zero, output, 1, columns);
            return result;
        }
    }

    private static double ErfSeries(double x)
    {
        if (Math.Abs(x) > 5) return Math.Sign(x);
        double sum = x, term = x;
        for (var n = 1; n < 200; n++)
        {
            term *= -x * x / n;
            sum += term / (2 * n + 1);
        }
        return 2 / Math.Sqrt(Math.PI) * sum;
    }
}
