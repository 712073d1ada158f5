using Attune.Kernels;
using CsCheck;

namespace Attune.Tests.Kernels;

public sealed unsafe class SoftmaxLossTests
{
    /// <summary>Against the definition in double precision, for sizes that fill no vector and values far apart.</summary>
    [Fact]
    public void LossAndGradient_AnyLogits_EqualTheDefinition() => Gen.Select(Gen.Int[1, 9], Gen.Int[1, 70], Gen.Double[0, 40], Gen.Int[0, 9999]).Sample((lines, columns, spread, seed) =>
    {
        var random = new Random(seed);
        float[] x = [.. Enumerable.Range(0, lines * columns).Select(_ => (float)(spread * (random.NextDouble() - 0.5)))], bias = [.. Enumerable.Range(0, columns).Select(_ => random.NextSingle())];
        int[] targets = [.. Enumerable.Range(0, lines).Select(_ => random.Next(columns))];
        var logSums = new float[lines];
        var (expectedLoss, expected, expectedRight) = (0.0, new double[x.Length], 0);
        for (var line = 0; line < lines; line++)
        {
            double[] shifted = [.. Enumerable.Range(0, columns).Select(i => (double)(x[line * columns + i] + bias[i]))];
            var logSum = shifted.Max() + Math.Log(shifted.Sum(value => Math.Exp(value - shifted.Max())));
            expectedLoss += logSum - shifted[targets[line]];
            if (shifted[targets[line]] >= shifted.Max()) expectedRight++;
            for (var i = 0; i < columns; i++) expected[line * columns + i] = 0.25 * (Math.Exp(shifted[i] - logSum) - (i == targets[line] ? 1 : 0));
        }
        fixed (float* data = x, sums = logSums, shift = bias)
        {
            SoftmaxLoss.LogSums(data, shift, sums, lines, columns);
            Assert.Equal(expectedLoss, SoftmaxLoss.Sum(data, sums, targets, columns), 1e-4 * lines);
            Assert.Equal(expectedRight, SoftmaxLoss.Right(data, targets, columns));
            SoftmaxLoss.Backward(data, sums, targets, columns, 0.25);
        }
        for (var i = 0; i < x.Length; i++) Assert.Equal(expected[i], x[i], 1e-5);
    }, iter: 200);
}
