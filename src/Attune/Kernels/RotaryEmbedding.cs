using System.Numerics;

namespace Attune.Kernels;

// Legend: L lines, D size of a head, C columns of a padded batch.

/// <summary>
/// Rotary position embedding (Su et al.: "RoFormer", 2021, equation 15): the elements d and d + D/2 of a head are turned together by the angle
/// column theta^(-2d/D). Turning back is its backward.
/// </summary>
/// <param name="headSize">D, even.</param>
/// <param name="theta">The base of the angles.</param>
internal sealed unsafe class RotaryEmbedding(int headSize, double theta)
{
    private readonly int _half = headSize / 2;
    private float[] _cosines = [], _sines = [];                            // (C,D/2), grown as columns are met

    /// <summary>Turns some heads, one after the other, of each line in place.</summary>
    /// <param name="x">The lines.</param>
    /// <param name="heads">How many heads of each, from the first column on.</param>
    /// <param name="columns">The column of each line (L).</param>
    internal void Turn(PackedAttention.Matrix x, int heads, int[] columns) => Turn(x, heads, columns, 1);

    /// <summary>Undoes <see cref="Turn(PackedAttention.Matrix, int, int[])"/>; of gradients it is its backward.</summary>
    internal void TurnBack(PackedAttention.Matrix x, int heads, int[] columns) => Turn(x, heads, columns, -1);

    private void Turn(PackedAttention.Matrix x, int heads, int[] columns, int direction)
    {
        Reach(columns.Max() + 1);
        var (cosines, sines, half) = (_cosines, _sines, _half);
        CpuLoop.Pieces(columns.Length, 3L * heads * headSize, (_, from, to) =>
        {
            fixed (float* cosine = cosines, sine = sines)
                for (var line = from; line < to; line++)
                    for (var head = 0; head < heads; head++)
                        Turn(x.At(line, 2 * head * half), cosine + (long)columns[line] * half, sine + (long)columns[line] * half, half, direction);
        });
    }

    private static void Turn(float* x, float* cosine, float* sine, int half, float direction)
    {
        float* first = x, second = x + half;
        var sign = new Vector<float>(direction);
        var d = 0;
        for (; d <= half - Vector<float>.Count; d += Vector<float>.Count)
        {
            Vector<float> a = Vector.Load(first + d), b = Vector.Load(second + d), c = Vector.Load(cosine + d), s = Vector.Load(sine + d) * sign;
            Vector.Store(a * c - b * s, first + d);
            Vector.Store(b * c + a * s, second + d);
        }
        for (; d < half; d++)
        {
            float a = first[d], b = second[d], s = sine[d] * direction;
            first[d] = a * cosine[d] - b * s;
            second[d] = b * cosine[d] + a * s;
        }
    }

    /// <summary>The angle from one column to the next, of each pair of elements (D/2), rounded to float32 as transformers has it.</summary>
    internal static float[] Frequencies(int headSize, double theta) => [.. Enumerable.Range(0, headSize / 2).Select(d => 1 / (float)Math.Pow(theta, 2f * d / headSize))];

    /// <summary>Angles are rounded to float32 too.</summary>
    private void Reach(int columns)
    {
        if (columns * _half <= _cosines.Length) return;
        var frequencies = Frequencies(headSize, theta);
        var (cosines, sines) = (new float[columns * _half], new float[columns * _half]);
        for (var d = 0; d < _half; d++)
        {
            for (var column = 0; column < columns; column++)
            {
                var angle = column * frequencies[d];
                (cosines[column * _half + d], sines[column * _half + d]) = ((float)Math.Cos(angle), (float)Math.Sin(angle));
            }
        }
        (_sines, _cosines) = (sines, cosines);
    }
}
