using Attune.Kernels;
using CsCheck;

namespace Attune.Tests.Kernels;

[Collection("torch")]
public sealed unsafe class EmbeddingNoiseTests
{
    private const int Hidden = 33;

    /// <summary>Uniform within alpha / sqrt(tokens of the row x hidden size): mean 0 and variance a third of the bound's square.</summary>
    [Fact]
    public void Add_Rows_IsUniformWithinTheirOwnBound()
    {
        int[] lengths = [400, 100, 25];
        var noise = Noise(lengths, firstRow: 0, alpha: 5, key: 7);
        var at = 0;
        foreach (var length in lengths)
        {
            var values = noise[at..(at += length * Hidden)];
            var bound = 5 / Math.Sqrt(length * Hidden);
            Assert.True(values.Max(Math.Abs) <= bound);
            Assert.InRange(values.Max(), 0.98 * bound, bound);
            Assert.InRange(values.Average() / bound, -0.1, 0.1);
            Assert.InRange(values.Average(value => (double)value * value) / (bound * bound), 0.3, 0.37);
        }
        Assert.True(noise.Distinct().Count() > 0.98 * noise.Length);
    }

    /// <summary>A row's noise is its own, wherever its batch begins and whatever stands beside it; another key gives other noise.</summary>
    [Fact]
    public void Add_AnyCut_GivesARowTheSameNoise() => Gen.Int[1, 9].Array[2, 6].Sample(lengths =>
    {
        var whole = Noise(lengths, 3, alpha: 1, key: 11);
        var cut = lengths.Length / 2;
        Assert.Equal(whole, Noise(lengths[..cut], 3, 1, 11).Concat(Noise(lengths[cut..], 3 + cut, 1, 11)).ToArray());
        Assert.NotEqual(whole, Noise(lengths, 3, 1, 12));
        Assert.NotEqual(whole, Noise(lengths, 4, 1, 11));
        Assert.All(Noise(lengths, 3, 0, 11), value => Assert.Equal(0, value));
    }, iter: 20, threads: 1);

    [Fact]
    public void Normalise_Gradients_GivesEachRowAStepOfTheLengthAlongThem()
    {
        float[] gradient = [3, 0, 0, 4, 1e-30f, 0, -1e-30f, 0, 0, 0];
        var shift = (float[])gradient.Clone();
        fixed (float* values = shift) EmbeddingShift.Normalise(values, new Sequences([0, 2, 4, 5], null, 0), 2, 0.5);
        var small = 0.5f / MathF.Sqrt(2);
        TensorAssert.Close([0.3f, 0, 0, 0.4f, small, 0, -small, 0, 0, 0], shift, 1e-6, "steps");
    }

    private static float[] Noise(int[] lengths, int firstRow, double alpha, ulong key)
    {
        int[] offsets = [0, .. lengths.Select((_, row) => lengths.Take(row + 1).Sum())];
        var noise = new float[offsets[^1] * Hidden];
        fixed (float* values = noise) new EmbeddingNoise(alpha, key).Add(values, new Sequences(offsets, null, firstRow), Hidden);
        return noise;
    }
}
