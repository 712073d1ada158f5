using System.Numerics;
using System.Runtime.CompilerServices;

namespace Attune.Kernels;

/// <summary>The activation functions and their derivatives.</summary>
internal static class ActivationFunctions
{
    internal interface IFunction
    {
        static abstract Vector<float> Value(Vector<float> x);

        static abstract Vector<float> Derivative(Vector<float> x);
    }

    private static Vector<float> One => Vector<float>.One;

    private static Vector<float> Half => new(0.5f);

    /// <summary>x times the cumulative normal distribution.</summary>
    internal readonly struct Gelu : IFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector<float> Value(Vector<float> x) => x * Cumulative(x);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector<float> Derivative(Vector<float> x) => Cumulative(x) + x * Vector.Exp(x * x * -0.5f) * 0.39894228f;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector<float> Cumulative(Vector<float> x) => Half * (One + VectorMath.Erf(x * 0.70710678f));
    }

    /// <summary>The approximation of Gelu by the hyperbolic tangent.</summary>
    internal readonly struct GeluTanh : IFunction
    {
        private const float Factor = 0.79788456f, Cubic = 0.044715f;          // sqrt(2 / pi)

        public static Vector<float> Value(Vector<float> x) => x * Half * (One + Inner(x));

        public static Vector<float> Derivative(Vector<float> x)
        {
            var tanh = Inner(x);
            return Half * (One + tanh) + Half * x * (One - tanh * tanh) * Factor * (One + 3 * Cubic * x * x);
        }

        private static Vector<float> Inner(Vector<float> x) => VectorMath.Tanh(Factor * x * (One + Cubic * x * x));
    }

    internal readonly struct Relu : IFunction
    {
        public static Vector<float> Value(Vector<float> x) => Vector.Max(x, Vector<float>.Zero);

        public static Vector<float> Derivative(Vector<float> x) =>
            Vector.ConditionalSelect(Vector.GreaterThan(x, Vector<float>.Zero), One, Vector<float>.Zero);
    }

    /// <summary>x times the logistic function of x.</summary>
    internal readonly struct Silu : IFunction
    {
        public static Vector<float> Value(Vector<float> x) => x * VectorMath.Sigmoid(x);

        public static Vector<float> Derivative(Vector<float> x)
        {
            var gate = VectorMath.Sigmoid(x);
            return gate + x * gate * (One - gate);
        }
    }

    /// <summary>The approximation of Gelu by the logistic function.</summary>
    internal readonly struct QuickGelu : IFunction
    {
        private const float Slope = 1.702f;

        public static Vector<float> Value(Vector<float> x) => x * VectorMath.Sigmoid(Slope * x);

        public static Vector<float> Derivative(Vector<float> x)
        {
            var gate = VectorMath.Sigmoid(Slope * x);
            return gate + Slope * x * gate * (One - gate);
        }
    }

    internal readonly struct Tanh : IFunction
    {
        public static Vector<float> Value(Vector<float> x) => VectorMath.Tanh(x);

        public static Vector<float> Derivative(Vector<float> x)
        {
            var value = VectorMath.Tanh(x);
            return One - value * value;
        }
    }

    internal readonly struct Sigmoid : IFunction
    {
        public static Vector<float> Value(Vector<float> x) => VectorMath.Sigmoid(x);

        public static Vector<float> Derivative(Vector<float> x)
        {
            var value = VectorMath.Sigmoid(x);
            return value * (One - value);
        }
    }

    internal readonly struct Linear : IFunction
    {
        public static Vector<float> Value(Vector<float> x) => x;

        public static Vector<float> Derivative(Vector<float> x) => One;
    }
}
