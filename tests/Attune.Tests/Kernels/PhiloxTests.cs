using Attune.Kernels;

namespace Attune.Tests.Kernels;

public unsafe class PhiloxTests
{
    // Known answers of Philox4x32-10, as the authors' Random123 distribution gives them.
    [Theory]
    [InlineData(0u, 0u, 0u, 0u, 0ul, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)]
    [InlineData(0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu, 0xfffffffffffffffful, 0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu)]
    [InlineData(0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u, 0x299f31d0a4093822ul, 0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u)]
    public void Block_KnownAnswers(uint x0, uint x1, uint x2, uint x3, ulong key, uint a, uint b, uint c, uint d) =>
        Assert.Equal((a, b, c, d), Philox.Block(key, x0, x1, x2, x3));

    [Theory]
    [InlineData(1)]
    [InlineData(13)]
    [InlineData(768)]
    public void Fill_EqualsItsBlocks(int count)
    {
        var numbers = new uint[Philox.Room(count)];
        fixed (uint* first = numbers) Philox.Fill(first, count, 99, 1, 2, 3);
        var quarter = numbers.Length / 4;
        for (var i = 0; i < quarter; i++)
            Assert.Equal(Philox.Block(99, (uint)i, 1, 2, 3), (numbers[i], numbers[quarter + i], numbers[2 * quarter + i], numbers[3 * quarter + i]));
    }

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.5)]
    public void Factors_HaveTheRightShareAndMean(double probability)
    {
        const int width = 768, tokens = 500;
        var dropout = new Dropout(probability, Dropout.Key(42, 3), place: 4);
        var factors = new float[Dropout.Room(width)];
        int dropped = 0, droppedWithFormer = 0;
        var former = new bool[width];
        for (var token = 0; token < tokens; token++)
        {
            fixed (float* first = factors) dropout.Factors(first, width, row: 7, token);
            for (var i = 0; i < width; i++)
            {
                var zero = factors[i] == 0;
                Assert.True(zero || Math.Abs(factors[i] - 1 / (1 - probability)) < 1e-6);
                if (zero) dropped++;
                if (zero && former[i]) droppedWithFormer++;
                former[i] = zero;
            }
        }
        const int all = width * tokens;
        Assert.InRange(dropped / (double)all, probability - 5 * Deviation(probability), probability + 5 * Deviation(probability));
        // Neighbouring tokens are independent.
        var both = probability * probability;
        Assert.InRange(droppedWithFormer / (double)all, both - 5 * Deviation(both) - 0.002, both + 5 * Deviation(both));

        static double Deviation(double share) => Math.Sqrt(share * (1 - share) / all);
    }

    [Fact]
    public void Factors_DifferByPlaceRowTokenHeadAndUpdate()
    {
        var seen = new HashSet<string>();
        foreach (var (update, place, row, token, head) in new[] { (1, 1, 1, 1, 1), (2, 1, 1, 1, 1), (1, 2, 1, 1, 1), (1, 1, 2, 1, 1), (1, 1, 1, 2, 1), (1, 1, 1, 1, 2) })
        {
            var factors = new float[Dropout.Room(64)];
            fixed (float* first = factors) new Dropout(0.5, Dropout.Key(42, update), place).Factors(first, 64, row, token, head);
            seen.Add(string.Join(',', factors));
        }
        Assert.Equal(6, seen.Count);
    }
}
