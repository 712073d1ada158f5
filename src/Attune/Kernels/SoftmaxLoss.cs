using System.Numerics;

namespace Attune.Kernels;

/// <summary>The cross-entropy of lines of logits of which each has one target, and its gradient; for as many classes as a vocabulary has tokens.</summary>
internal static unsafe class SoftmaxLoss
{
    private const long OperationsPerElement = 16;

    /// <summary>Adds the bias, and gives the logarithm of the sum of exponentials of each line, from which loss and gradient follow.</summary>
    /// <param name="logits">(L,C).</param>
    /// <param name="bias">(C).</param>
    /// <param name="logSums">Receives (L).</param>
    /// <param name="lines">L.</param>
    /// <param name="columns">C.</param>
    internal static void LogSums(float* logits, float* bias, float* logSums, int lines, int columns) => CpuLoop.Pieces(lines, OperationsPerElement * columns, (_, from, to) =>
    {
        for (var line = from; line < to; line++)
        {
            var x = logits + (long)line * columns;
            Vectors.Add(x, bias, columns);
            var largest = Largest(x, columns);
            logSums[line] = largest + (float)Math.Log(SumOfExponentials(x, largest, columns));
        }
    });

    /// <summary>The sum of the losses of all lines, log sum - logit of the target.</summary>
    internal static double Sum(float* logits, float* logSums, int[] targets, int columns)
    {
        var sum = 0.0;
        for (var line = 0; line < targets.Length; line++) sum += logSums[line] - logits[(long)line * columns + targets[line]];
        return sum;
    }

    /// <summary>How many lines have their largest logit at the target.</summary>
    internal static int Right(float* logits, int[] targets, int columns)
    {
        var hits = new bool[targets.Length];
        CpuLoop.Pieces(targets.Length, columns, (_, from, to) =>
        {
            for (var line = from; line < to; line++)
            {
                var x = logits + (long)line * columns;
                hits[line] = x[targets[line]] >= Largest(x, columns);
            }
        });
        return hits.Count(hit => hit);
    }

    /// <summary>Turns the logits into the gradient of the losses' sum, (softmax - target) scale, in place.</summary>
    /// <param name="logits">(L,C).</param>
    /// <param name="logSums">(L).</param>
    /// <param name="targets">(L).</param>
    /// <param name="columns">C.</param>
    /// <param name="scale">Factor of the loss.</param>
    internal static void Backward(float* logits, float* logSums, int[] targets, int columns, double scale) =>
        CpuLoop.Pieces(targets.Length, OperationsPerElement * columns, (_, from, to) =>
        {
            Vector<float> factor = new((float)scale);
            for (var line = from; line < to; line++)
            {
                var x = logits + (long)line * columns;
                Vector<float> logSum = new(logSums[line]);
                var i = 0;
                for (; i <= columns - Vector<float>.Count; i += Vector<float>.Count) Vector.Store(Vector.Exp(Vector.Load(x + i) - logSum) * factor, x + i);
                for (; i < columns; i++) x[i] = MathF.Exp(x[i] - logSums[line]) * (float)scale;
                x[targets[line]] -= (float)scale;
            }
        });

    /// <summary>Draws a column for each line, by the probabilities that the softmax of its logits gives.</summary>
    /// <param name="logits">(L,C).</param>
    /// <param name="logSums">(L).</param>
    /// <param name="numbers">(L), from 0 to below 1: the column at which the sum of the probabilities passes it.</param>
    /// <param name="columns">C.</param>
    internal static int[] Draw(float* logits, float* logSums, double[] numbers, int columns)
    {
        var drawn = new int[numbers.Length];
        CpuLoop.Pieces(numbers.Length, OperationsPerElement * columns, (_, from, to) =>
        {
            for (var line = from; line < to; line++)
            {
                var x = logits + (long)line * columns;
                var (logSum, left) = (logSums[line], numbers[line]);
                Vector<float> shift = new(logSum);
                var i = 0;
                for (; i <= columns - Vector<float>.Count; i += Vector<float>.Count)
                {
                    double next = Vector.Sum(Vector.Exp(Vector.Load(x + i) - shift));
                    if (left < next) break;
                    left -= next;
                }
                // Of the vector in which it lies, and of the columns behind the last one; rounding may leave a rest behind all of them.
                for (; i < columns - 1; i++)
                {
                    left -= Math.Exp(x[i] - logSum);
                    if (left < 0) break;
                }
                drawn[line] = i;
            }
        });
        return drawn;
    }

    private static float Largest(float* x, int count)
    {
        var (i, largest) = (0, new Vector<float>(float.NegativeInfinity));
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count) largest = Vector.Max(largest, Vector.Load(x + i));
        var result = float.NegativeInfinity;
        for (var lane = 0; lane < Vector<float>.Count; lane++) result = MathF.Max(result, largest[lane]);
        for (; i < count; i++) result = MathF.Max(result, x[i]);
        return result;
    }

    private static double SumOfExponentials(float* x, float largest, int count)
    {
        Vector<float> shift = new(largest), a = default, b = default;
        var i = 0;
        for (; i <= count - 2 * Vector<float>.Count; i += 2 * Vector<float>.Count)
        {
            a += Vector.Exp(Vector.Load(x + i) - shift);
            b += Vector.Exp(Vector.Load(x + i + Vector<float>.Count) - shift);
        }
        double sum = Vector.Sum(a + b);
        for (; i < count; i++) sum += MathF.Exp(x[i] - largest);
        return sum;
    }
}
