using System.Numerics;

namespace Attune.Kernels;

// Legend: L lines, I size of each half.

/// <summary>The gated linear unit (Shazeer: "GLU Variants Improve Transformer", 2020): the function of one half times the other half.</summary>
internal abstract unsafe partial class Activation
{
    /// <summary>Computes f(first half + bias) (second half + bias).</summary>
    /// <param name="x">(L,2I); the bias is added in place, as backward needs it.</param>
    /// <param name="bias">(2I), or null.</param>
    /// <param name="output">Receives (L,I).</param>
    /// <param name="lines">L.</param>
    /// <param name="columns">I.</param>
    internal abstract void ForwardGated(float* x, float* bias, float* output, int lines, int columns);

    /// <summary>Computes the gradient of x + bias.</summary>
    /// <param name="gradient">(L,I), of the output.</param>
    /// <param name="x">(L,2I), from forward.</param>
    /// <param name="result">Receives (L,2I).</param>
    /// <param name="lines">L.</param>
    /// <param name="columns">I.</param>
    internal abstract void BackwardGated(float* gradient, float* x, float* result, int lines, int columns);

    private sealed partial class Of<TFunction>
    {
        internal override void ForwardGated(float* x, float* bias, float* output, int lines, int columns) =>
            CpuLoop.Pieces(lines, 2 * OperationsPerElement * columns, (_, from, to) =>
            {
                for (var line = from; line < to; line++)
                {
                    float* first = x + 2L * line * columns, second = first + columns, result = output + (long)line * columns;
                    if (bias is not null) Vectors.Add(first, bias, 2 * columns);
                    var i = 0;
                    for (; i <= columns - Vector<float>.Count; i += Vector<float>.Count)
                        Vector.Store(TFunction.Value(Vector.Load(first + i)) * Vector.Load(second + i), result + i);
                    for (; i < columns; i++) result[i] = TFunction.Value(new Vector<float>(first[i]))[0] * second[i];
                }
            });

        internal override void BackwardGated(float* gradient, float* x, float* result, int lines, int columns) =>
            CpuLoop.Pieces(lines, 3 * OperationsPerElement * columns, (_, from, to) =>
            {
                for (var line = from; line < to; line++)
                {
                    float* outer = gradient + (long)line * columns, first = x + 2L * line * columns, inner = result + 2L * line * columns;
                    var i = 0;
                    for (; i <= columns - Vector<float>.Count; i += Vector<float>.Count)
                    {
                        Vector<float> at = Vector.Load(first + i), along = Vector.Load(outer + i);
                        Vector.Store(along * Vector.Load(first + columns + i) * TFunction.Derivative(at), inner + i);
                        Vector.Store(along * TFunction.Value(at), inner + columns + i);
                    }
                    for (; i < columns; i++)
                    {
                        var at = new Vector<float>(first[i]);
                        inner[i] = outer[i] * first[columns + i] * TFunction.Derivative(at)[0];
                        inner[columns + i] = outer[i] * TFunction.Value(at)[0];
                    }
                }
            });
    }
}
