using Attune.Kernels;
using Attune.Native;
using TorchSharp;

namespace Attune.Tests.Kernels;

[Collection(nameof(TorchCollection))]
public unsafe class BFloat16ConversionTests
{
    private static readonly float[] Special =
    [
        0, -0f, 1, 1.00390625f, 1.01171875f, float.Epsilon, -float.Epsilon, 1e-40f, float.MaxValue, float.MinValue, float.PositiveInfinity,
        float.NegativeInfinity, float.NaN,
    ];

    [Fact]
    public void Round_AnyNumber_IsTorchsRounding()
    {
        LibTorch.Load();
        var random = new Random(1);
        float[] numbers = [.. Special, .. Enumerable.Range(0, 9001).Select(_ => BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue)))];
        var rounded = new ushort[numbers.Length];
        fixed (float* from = numbers) fixed (ushort* to = rounded) BFloat16Conversion.Round(from, to, numbers.Length);
        using var expected = torch.tensor(numbers).to(torch.ScalarType.BFloat16).to(torch.ScalarType.Float32);
        foreach (var (wanted, bits) in expected.data<float>().ToArray().Zip(rounded))
        {
            var found = BitConverter.UInt32BitsToSingle((uint)bits << 16);
            Assert.True(float.IsNaN(wanted) ? float.IsNaN(found) : BitConverter.SingleToInt32Bits(wanted) == BitConverter.SingleToInt32Bits(found), $"{wanted:R} and {found:R}");
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Widen_GivesTheNumbersAndTheirSquares(bool accumulate)
    {
        var random = new Random(2);
        ushort[] bits = [.. Enumerable.Range(0, 10_007).Select(_ => (ushort)(BitConverter.SingleToUInt32Bits(random.NextSingle() * 4 - 2) >> 16))];
        float[] before = [.. bits.Select(_ => random.NextSingle())], after = [.. before];
        double squares;
        fixed (ushort* from = bits) fixed (float* to = after) squares = BFloat16Conversion.Widen(from, to, bits.Length, accumulate);
        var expected = bits.Select((x, i) => BitConverter.UInt32BitsToSingle((uint)x << 16) + (accumulate ? before[i] : 0)).ToArray();
        Assert.Equal(expected, after);
        Assert.Equal(expected.Sum(x => (double)x * x), squares, 1e-2);
    }
}
