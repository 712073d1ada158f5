using Attune.Kernels;

namespace Attune.Tests.Kernels;

[Collection("torch")]
public sealed unsafe class GatedActivationTests
{
    private const int Lines = 5, Columns = 19;

    /// <summary>Gelu of the first half times the second, and its gradient by differences.</summary>
    [Fact]
    public void ForwardAndBackward_EqualTheFormulas()
    {
        var random = new Random(3);
        float[] x = Draw(2 * Lines * Columns), bias = Draw(2 * Columns), outer = Draw(Lines * Columns);
        var (expected, gradient) = (new float[Lines * Columns], new float[2 * Lines * Columns]);
        for (var line = 0; line < Lines; line++)
            for (var i = 0; i < Columns; i++)
            {
                double first = x[2 * line * Columns + i] + bias[i], second = x[(2 * line + 1) * Columns + i] + bias[Columns + i];
                expected[line * Columns + i] = (float)(Gelu(first) * second);
                gradient[2 * line * Columns + i] = (float)(outer[line * Columns + i] * second * (Gelu(first + 1e-5) - Gelu(first - 1e-5)) / 2e-5);
                gradient[(2 * line + 1) * Columns + i] = (float)(outer[line * Columns + i] * Gelu(first));
            }

        var (output, result) = (new float[Lines * Columns], new float[2 * Lines * Columns]);
        fixed (float* from = x, shift = bias, to = output, along = outer, back = result)
        {
            Activation.Named("gelu").ForwardGated(from, shift, to, Lines, Columns);
            Activation.Named("gelu").BackwardGated(along, from, back, Lines, Columns);
        }
        TensorAssert.Close(expected, output, 1e-6, "output");
        TensorAssert.Close(gradient, result, 2e-6, "gradient");

        float[] Draw(int count) => [.. Enumerable.Range(0, count).Select(_ => 4 * random.NextSingle() - 2)];
    }

    /// <summary>x times the normal distribution up to x, by Simpson's rule.</summary>
    private static double Gelu(double x)
    {
        const int parts = 2000;
        var (sum, step) = (0.0, x / parts);
        for (var i = 0; i <= parts; i++) sum += (i is 0 or parts ? 1 : i % 2 == 1 ? 4 : 2) * Math.Exp(-(i * step) * (i * step) / 2);
        return x * (0.5 + sum * step / 3 / Math.Sqrt(2 * Math.PI));
    }
}
