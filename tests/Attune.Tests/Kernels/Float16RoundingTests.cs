using Attune.Kernels;
using Attune.Native;

namespace Attune.Tests.Kernels;

[Collection(nameof(TorchCollection))]
public unsafe class Float16RoundingTests
{
    private static readonly float[] Special =
    [
        0, -0f, 1, 65504, 65519.996f, 65520, -65520, 1e38f, 6.1035156e-5f, 6.1035153e-5f, 5.9604645e-8f, 2.9802322e-8f, 2.9802326e-8f, -8.940697e-8f, float.Epsilon, float.MaxValue,
        float.MinValue, float.PositiveInfinity, float.NegativeInfinity, float.NaN,
    ];

    [Fact]
    public void Round_AnyNumber_IsTheNearestThatFloat16Has()
    {
        LibTorch.Load();
        var random = new Random(1);
        float[] numbers =
        [
            .. Special, .. Enumerable.Range(0, 20_001).Select(_ => BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue))),
            .. Enumerable.Range(0, 40_001).Select(_ => (float)((random.NextDouble() - 0.5) * Math.Pow(2, random.Next(-28, 18)))),
            .. Enumerable.Range(0, 1 << 16).Select(bits => ((float)BitConverter.UInt16BitsToHalf((ushort)bits) + (float)BitConverter.UInt16BitsToHalf((ushort)(bits ^ 1))) / 2),
        ];
        float[] rounded = new float[numbers.Length], added = [.. Enumerable.Repeat(3f, numbers.Length)];
        fixed (float* from = numbers, to = rounded, sum = added)
        {
            Float16Rounding.Round(from, to, numbers.Length);
            Float16Rounding.Round(from, sum, numbers.Length, accumulate: true);
        }
        foreach (var (i, number) in numbers.Index())
        {
            var wanted = (float)(Half)number;
            if (float.IsNaN(wanted)) Assert.True(float.IsNaN(rounded[i]));
            else Assert.True(BitConverter.SingleToInt32Bits(wanted) == BitConverter.SingleToInt32Bits(rounded[i]), $"{number:R}: {rounded[i]:R} in place of {wanted:R}");
            Assert.Equal(3 + wanted, added[i]);
        }
    }
}
