using System.Numerics;

namespace Attune.Kernels;

/// <summary>LayerNorm(dropout(x + bias) + residual), and its backward; one pass over the memory each.</summary>
/// <remarks>Also LayerNorm alone, where bias and residual are absent.</remarks>
internal static unsafe class ResidualNorm
{
    /// <param name="x">(L,H); replaced by the normalised values that backward needs.</param>
    /// <param name="bias">(H), or null.</param>
    /// <param name="residual">(L,H), or null.</param>
    /// <param name="weight">(H).</param>
    /// <param name="shift">(H), the LayerNorm's own bias, or null.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="output">Receives (L,H).</param>
    /// <param name="inverseDeviations">Receives (L).</param>
    /// <param name="lines">What the lines stand for.</param>
    /// <param name="hidden">H.</param>
    /// <param name="dropout">Applied before the residual is added.</param>
    internal static void Forward(
        float* x, float* bias, float* residual, float* weight, float* shift, double epsilon, float* output, float* inverseDeviations,
        Sequences.Lines lines, int hidden, Dropout dropout) => CpuLoop.Pieces(lines.Count, 8L * hidden, (_, from, to) =>
    {
        var factors = dropout.IsActive ? Scratch.OfThisThread(Dropout.Room(hidden)).Floats(Dropout.Room(hidden)) : null;
        for (var line = from; line < to; line++)
        {
            var row = x + (long)line * hidden;
            if (bias is not null) Vectors.Add(row, bias, hidden);
            if (factors is not null)
            {
                dropout.Factors(factors, hidden, lines.RowNumber[line], lines.IndexInRow[line]);
                Vectors.Multiply(row, factors, hidden);
            }
            if (residual is not null) Vectors.Add(row, residual + (long)line * hidden, hidden);
            inverseDeviations[line] = Normalise(row, hidden, epsilon);
            if (shift is not null) Vectors.Affine(row, weight, shift, output + (long)line * hidden, hidden);
            else Vectors.Product(row, weight, output + (long)line * hidden, hidden);
        }
    });

    /// <param name="gradient">(L,H), of the output; replaced by the gradient of the sum, which is the residual's.</param>
    /// <param name="normalised">(L,H), from <see cref="Forward"/>.</param>
    /// <param name="weight">(H).</param>
    /// <param name="inverseDeviations">(L).</param>
    /// <param name="inner">Receives (L,H), the gradient of x; may be the same as <paramref name="gradient"/> where nothing is dropped.</param>
    /// <param name="weightGradient">(H), added to, or null.</param>
    /// <param name="shiftGradient">(H), added to, or null.</param>
    /// <param name="biasGradient">(H), added to, or null.</param>
    /// <param name="lines">What the lines stand for.</param>
    /// <param name="hidden">H.</param>
    /// <param name="dropout">As in <see cref="Forward"/>.</param>
    internal static void Backward(
        float* gradient, float* normalised, float* weight, float* inverseDeviations, float* inner,
        float* weightGradient, float* shiftGradient, float* biasGradient, Sequences.Lines lines, int hidden, Dropout dropout)
    {
        var operations = 12L * hidden;
        var sums = new float[CpuLoop.PieceCount(lines.Count, operations)][];
        CpuLoop.Pieces(lines.Count, operations, (piece, from, to) =>
        {
            var sum = sums[piece] = new float[3 * hidden];
            var factors = dropout.IsActive ? Scratch.OfThisThread(Dropout.Room(hidden)).Floats(Dropout.Room(hidden)) : null;
            fixed (float* weightSum = sum)
            {
                float* shiftSum = weightSum + hidden, biasSum = shiftSum + hidden;
                for (var line = from; line < to; line++)
                {
                    float* outer = gradient + (long)line * hidden, unit = normalised + (long)line * hidden, to1 = inner + (long)line * hidden;
                    if (weightGradient is not null) Vectors.AddProduct(weightSum, outer, unit, hidden);
                    if (shiftGradient is not null) Vectors.Add(shiftSum, outer, hidden);
                    NormGradient(outer, unit, weight, inverseDeviations[line], hidden);
                    if (factors is not null)
                    {
                        dropout.Factors(factors, hidden, lines.RowNumber[line], lines.IndexInRow[line]);
                        Vectors.Product(outer, factors, to1, hidden);
                    }
                    else if (to1 != outer) new Span<float>(outer, hidden).CopyTo(new Span<float>(to1, hidden));
                    if (biasGradient is not null) Vectors.Add(biasSum, to1, hidden);
                }
            }
        });
        foreach (var sum in sums)
        {
            fixed (float* piece = sum)
            {
                if (weightGradient is not null) Vectors.Add(weightGradient, piece, hidden);
                if (shiftGradient is not null) Vectors.Add(shiftGradient, piece + hidden, hidden);
                if (biasGradient is not null) Vectors.Add(biasGradient, piece + 2 * hidden, hidden);
            }
        }
    }

    /// <summary>Multiplies each line by its dropout factors in place: for the one dropout that follows a LayerNorm, and its backward.</summary>
    internal static void Drop(float* x, Sequences.Lines lines, int hidden, Dropout dropout)
    {
        if (dropout.IsActive) Drop(x, x, lines, hidden, dropout);
    }

    /// <summary>result = dropout(x).</summary>
    internal static void Drop(float* x, float* result, Sequences.Lines lines, int hidden, Dropout dropout) =>
        EachLine(lines, hidden, dropout, (at, factors) => Vectors.Product(x + at, (float*)factors, result + at, hidden));

    /// <summary>sum += dropout(x).</summary>
    internal static void AddDropped(float* x, float* sum, Sequences.Lines lines, int hidden, Dropout dropout) =>
        EachLine(lines, hidden, dropout, (at, factors) => Vectors.AddProduct(sum + at, x + at, (float*)factors, hidden));

    /// <summary>x = dropout(x + bias) + residual: the end of a branch whose norm stands at its beginning.</summary>
    /// <param name="x">(L,H); replaced.</param>
    /// <param name="bias">(H), or null.</param>
    /// <param name="residual">(L,H).</param>
    /// <param name="lines">What the lines stand for.</param>
    /// <param name="hidden">H.</param>
    /// <param name="dropout">Applied before the residual is added.</param>
    internal static void Add(float* x, float* bias, float* residual, Sequences.Lines lines, int hidden, Dropout dropout) =>
        CpuLoop.Pieces(lines.Count, 3L * hidden, (_, from, to) =>
        {
            var factors = dropout.IsActive ? Scratch.OfThisThread(Dropout.Room(hidden)).Floats(Dropout.Room(hidden)) : null;
            for (var line = from; line < to; line++)
            {
                var row = x + (long)line * hidden;
                if (bias is not null) Vectors.Add(row, bias, hidden);
                if (factors is not null)
                {
                    dropout.Factors(factors, hidden, lines.RowNumber[line], lines.IndexInRow[line]);
                    Vectors.Multiply(row, factors, hidden);
                }
                Vectors.Add(row, residual + (long)line * hidden, hidden);
            }
        });

    /// <summary>Calls with the first element of each line and its dropout factors.</summary>
    private static void EachLine(Sequences.Lines lines, int hidden, Dropout dropout, Action<long, nint> body) =>
        CpuLoop.Pieces(lines.Count, 8L * hidden, (_, from, to) =>
        {
            var factors = Scratch.OfThisThread(Dropout.Room(hidden)).Floats(Dropout.Room(hidden));
            for (var line = from; line < to; line++)
            {
                dropout.Factors(factors, hidden, lines.RowNumber[line], lines.IndexInRow[line]);
                body((long)line * hidden, (nint)factors);
            }
        });

    /// <summary>Centres and scales one line in place; returns the inverse of its deviation.</summary>
    private static float Normalise(float* x, int count, double epsilon)
    {
        var mean = new Vector<float>((float)(Vectors.Sum(x, count) / count));
        var centre = mean[0];
        var i = 0;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count) Vector.Store(Vector.Load(x + i) - mean, x + i);
        for (; i < count; i++) x[i] -= centre;
        var inverse = (float)(1 / Math.Sqrt(Vectors.SumOfProducts(x, x, count) / count + epsilon));
        var factor = new Vector<float>(inverse);
        for (i = 0; i <= count - Vector<float>.Count; i += Vector<float>.Count) Vector.Store(Vector.Load(x + i) * factor, x + i);
        for (; i < count; i++) x[i] *= inverse;
        return inverse;
    }

    /// <summary>Turns the gradient of the output into that of the input, in place: (g w - mean(g w) - n mean(g w n)) / deviation.</summary>
    private static void NormGradient(float* gradient, float* unit, float* weight, float inverse, int count)
    {
        Vectors.Multiply(gradient, weight, count);
        float mean = (float)(Vectors.Sum(gradient, count) / count), along = (float)(Vectors.SumOfProducts(gradient, unit, count) / count);
        Vector<float> means = new(mean), alongs = new(along), inverses = new(inverse);
        var i = 0;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
            Vector.Store((Vector.Load(gradient + i) - means - Vector.Load(unit + i) * alongs) * inverses, gradient + i);
        for (; i < count; i++) gradient[i] = (gradient[i] - mean - unit[i] * along) * inverse;
    }
}
