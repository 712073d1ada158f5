using System.Numerics;

namespace Attune.Onnx.Export;

/// <summary>Rows of numbers as whole numbers of few bits, each row with the factor that gives its numbers back: symmetric, so that 0 stays 0.</summary>
/// <param name="Values">From -<see cref="Most"/> to that, row by row.</param>
/// <param name="Scales">A row's numbers are its values times this.</param>
internal sealed record QuantizedRows(sbyte[] Values, float[] Scales)
{
    /// <summary>The largest value of so many bits, and with the other sign the smallest.</summary>
    internal static int Most(int bits) => (1 << (bits - 1)) - 1;

    /// <summary>Rounds to nearest.</summary>
    /// <param name="values">Row by row.</param>
    /// <param name="rows">Their number.</param>
    /// <param name="bits">8 or less.</param>
    internal static QuantizedRows Of(float[] values, int rows, int bits)
    {
        var (columns, most) = (values.Length / rows, Most(bits));
        var (whole, scales) = (new sbyte[values.Length], new float[rows]);
        for (var row = 0; row < rows; row++)
        {
            var numbers = values.AsSpan(row * columns, columns);
            var largest = Largest(numbers);
            // A row of zeros has any factor.
            scales[row] = largest > 0 ? largest / most : 1;
            for (var i = 0; i < columns; i++)
                whole[row * columns + i] = (sbyte)Math.Clamp(MathF.Round(numbers[i] / scales[row]), -most, most);
        }
        return new QuantizedRows(whole, scales);
    }

    /// <summary>The values (rows, columns) turned over to (columns, rows).</summary>
    internal sbyte[] Transposed()
    {
        var (rows, columns) = (Scales.Length, Values.Length / Scales.Length);
        var turned = new sbyte[Values.Length];
        for (var row = 0; row < rows; row++)
            for (var column = 0; column < columns; column++) turned[column * rows + row] = Values[row * columns + column];
        return turned;
    }

    private static float Largest(ReadOnlySpan<float> numbers)
    {
        var (largest, i) = (Vector<float>.Zero, 0);
        for (; i <= numbers.Length - Vector<float>.Count; i += Vector<float>.Count)
            largest = Vector.Max(largest, Vector.Abs(new Vector<float>(numbers[i..])));
        var most = 0f;
        for (var lane = 0; lane < Vector<float>.Count; lane++) most = Math.Max(most, largest[lane]);
        for (; i < numbers.Length; i++) most = Math.Max(most, Math.Abs(numbers[i]));
        return most;
    }
}
