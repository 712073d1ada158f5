using System.Numerics;

namespace Attune.Kernels;

/// <summary>The element-wise functions that <c>hidden_act</c> may name, with their derivatives and the bias before them.</summary>
internal abstract unsafe partial class Activation
{
    /// <summary>The function of a name of transformers' <c>ACT2FN</c>.</summary>
    /// <exception cref="AttuneException">Attune does not have it.</exception>
    internal static Activation Named(string name) => name switch
    {
        "gelu" or "gelu_python" => new Of<ActivationFunctions.Gelu>(),
        "gelu_new" or "gelu_pytorch_tanh" or "gelu_fast" or "gelu_accurate" => new Of<ActivationFunctions.GeluTanh>(),
        "relu" => new Of<ActivationFunctions.Relu>(),
        "silu" or "swish" => new Of<ActivationFunctions.Silu>(),
        "quick_gelu" => new Of<ActivationFunctions.QuickGelu>(),
        "tanh" => Tanh,
        "sigmoid" => new Of<ActivationFunctions.Sigmoid>(),
        "linear" => new Of<ActivationFunctions.Linear>(),
        _ => throw new AttuneException(
            $"hidden_act is \"{name}\", which Attune does not have. It has gelu, gelu_new, relu, silu, quick_gelu, tanh, sigmoid and linear."),
    };

    /// <summary>The hyperbolic tangent, as the pooler uses it.</summary>
    internal static Activation Tanh { get; } = new Of<ActivationFunctions.Tanh>();

    /// <summary>Computes f(x + bias).</summary>
    /// <param name="x">(L,C); the bias is added in place, as backward needs it.</param>
    /// <param name="bias">(C), or null.</param>
    /// <param name="output">Receives (L,C).</param>
    /// <param name="lines">L.</param>
    /// <param name="columns">C.</param>
    internal abstract void Forward(float* x, float* bias, float* output, int lines, int columns);

    /// <summary>Turns the gradient of the output into that of x + bias, in place, and adds its column sums to the bias's gradient, unless that is null.</summary>
    internal abstract void Backward(float* gradient, float* x, float* biasGradient, int lines, int columns);

    /// <summary>The loops, compiled once for each function so that it is inlined.</summary>
    private sealed partial class Of<TFunction> : Activation where TFunction : struct, ActivationFunctions.IFunction
    {
        private const long OperationsPerElement = 16;

        internal override void Forward(float* x, float* bias, float* output, int lines, int columns) =>
            CpuLoop.Pieces(lines, OperationsPerElement * columns, (_, from, to) =>
            {
                var shift = bias is null ? Zeros(columns) : bias;
                for (var line = from; line < to; line++) ForwardLine(x + (long)line * columns, shift, output + (long)line * columns, columns);
            });

        internal override void Backward(float* gradient, float* x, float* biasGradient, int lines, int columns)
        {
            var sums = new float[CpuLoop.PieceCount(lines, OperationsPerElement * columns)][];
            CpuLoop.Pieces(lines, OperationsPerElement * columns, (piece, from, to) =>
            {
                var pieceSum = sums[piece] = new float[columns];
                fixed (float* sum = pieceSum)
                    for (var line = from; line < to; line++)
                        BackwardLine(gradient + (long)line * columns, x + (long)line * columns, sum, columns);
            });
            if (biasGradient is null) return;
            foreach (var pieceSum in sums)
                fixed (float* sum = pieceSum) Vectors.Add(biasGradient, sum, columns);
        }

        private static float* Zeros(int count)
        {
            var zeros = Scratch.OfThisThread(count).Floats(count);
            new Span<float>(zeros, count).Clear();
            return zeros;
        }

        private static void ForwardLine(float* x, float* bias, float* output, int columns)
        {
            var i = 0;
            for (; i <= columns - Vector<float>.Count; i += Vector<float>.Count)
            {
                var sum = Vector.Load(x + i) + Vector.Load(bias + i);
                Vector.Store(sum, x + i);
                Vector.Store(TFunction.Value(sum), output + i);
            }
            for (; i < columns; i++)
            {
                x[i] += bias[i];
                output[i] = TFunction.Value(new Vector<float>(x[i]))[0];
            }
        }

        private static void BackwardLine(float* gradient, float* x, float* sum, int columns)
        {
            var i = 0;
            for (; i <= columns - Vector<float>.Count; i += Vector<float>.Count)
            {
                var product = Vector.Load(gradient + i) * TFunction.Derivative(Vector.Load(x + i));
                Vector.Store(product, gradient + i);
                Vector.Store(Vector.Load(sum + i) + product, sum + i);
            }
            for (; i < columns; i++) sum[i] += gradient[i] *= TFunction.Derivative(new Vector<float>(x[i]))[0];
        }
    }
}
