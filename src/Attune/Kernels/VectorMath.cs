using System.Numerics;
using System.Runtime.CompilerServices;

namespace Attune.Kernels;

/// <summary>Functions of vectors that the runtime does not have, to about single precision.</summary>
internal static class VectorMath
{
    /// <summary>The error function, as an odd rational function on [-4, 4]; coefficients as in Eigen's and XLA's single-precision erf.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector<float> Erf(Vector<float> x)
    {
        x = Vector.Min(Vector.Max(x, new Vector<float>(-4f)), new Vector<float>(4f));
        var square = x * x;
        var above = new Vector<float>(-2.72614225801306e-10f);
        above = Vector.FusedMultiplyAdd(above, square, new Vector<float>(2.77068142495902e-08f));
        above = Vector.FusedMultiplyAdd(above, square, new Vector<float>(-2.10102402082508e-06f));
        above = Vector.FusedMultiplyAdd(above, square, new Vector<float>(-5.69250639462346e-05f));
        above = Vector.FusedMultiplyAdd(above, square, new Vector<float>(-7.34990630326855e-04f));
        above = Vector.FusedMultiplyAdd(above, square, new Vector<float>(-2.95459980854025e-03f));
        above = Vector.FusedMultiplyAdd(above, square, new Vector<float>(-1.60960333262415e-02f));
        var below = new Vector<float>(-1.45660718464996e-05f);
        below = Vector.FusedMultiplyAdd(below, square, new Vector<float>(-2.13374055278905e-04f));
        below = Vector.FusedMultiplyAdd(below, square, new Vector<float>(-1.68282697438203e-03f));
        below = Vector.FusedMultiplyAdd(below, square, new Vector<float>(-7.37332916720468e-03f));
        below = Vector.FusedMultiplyAdd(below, square, new Vector<float>(-1.42647390514189e-02f));
        return x * above / below;
    }

    /// <summary>The logistic function.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector<float> Sigmoid(Vector<float> x) => Vector<float>.One / (Vector<float>.One + Vector.Exp(-x));

    /// <summary>The hyperbolic tangent: by its series near zero, elsewhere by the exponential function.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector<float> Tanh(Vector<float> x)
    {
        var limited = Vector.Min(Vector.Max(x, new Vector<float>(-15f)), new Vector<float>(15f));
        var exponential = Vector.Exp(limited + limited);
        var far = (exponential - Vector<float>.One) / (exponential + Vector<float>.One);
        var square = x * x;
        var near = x + x * square * (new Vector<float>(-1f / 3) + square * (new Vector<float>(2f / 15) + square *
            (new Vector<float>(-17f / 315) + square * new Vector<float>(62f / 2835))));
        return Vector.ConditionalSelect(Vector.LessThan(Vector.Abs(x), new Vector<float>(0.25f)), near, far);
    }
}
