using Attune.Kernels;

namespace Attune.Tests.Kernels;

[Collection("torch")]
public sealed unsafe class RotaryEmbeddingTests
{
    private const int Lines = 9, Heads = 3, Step = 80;

    private static readonly int[] Columns = [0, 1, 2, 3, 0, 7, 40, 41, 300];

    /// <summary>A head of 26 is one vector of 8 and a rest on every processor.</summary>
    [Theory, InlineData(4, 10000), InlineData(26, 160000)]
    public void Turn_EachPair_TurnsItByItsAngle(int size, double theta)
    {
        var x = Draw();
        var turned = Turned(x, size, theta, back: false);
        for (var line = 0; line < Lines; line++)
            for (var i = 0; i < Step; i++)
            {
                var d = i % size;
                var isTurned = i < Heads * size;
                var angle = Columns[line] * Math.Pow(theta, -2.0 * (d % (size / 2)) / size);
                var other = d < size / 2 ? -x[line * Step + i + (isTurned ? size / 2 : 0)] : x[line * Step + i - (isTurned ? size / 2 : 0)];
                var expected = isTurned ? x[line * Step + i] * Math.Cos(angle) + other * Math.Sin(angle) : x[line * Step + i];
                TensorAssert.Close([(float)expected], [turned[line * Step + i]], 5e-5, $"line {line}, element {i}");
            }
    }

    /// <summary>Turning back undoes it, and is its transpose: (turn x) y = x (turn back y), so it takes gradients back.</summary>
    [Fact]
    public void TurnBack_IsInverseAndTranspose()
    {
        float[] x = Draw(), y = Draw(2);
        TensorAssert.Close(x, Turned(Turned(x, 26, 10000, back: false), 26, 10000, back: true), 1e-6, "there and back");
        var there = Turned(x, 26, 10000, back: false).Zip(y, (a, b) => (double)a * b).Sum();
        var back = Turned(y, 26, 10000, back: true).Zip(x, (a, b) => (double)a * b).Sum();
        Assert.Equal(there, back, 1e-4);
    }

    private static float[] Draw(int seed = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, Lines * Step).Select(_ => 2 * random.NextSingle() - 1)];
    }

    private static float[] Turned(float[] x, int size, double theta, bool back)
    {
        var (rope, result) = (new RotaryEmbedding(size, theta), (float[])x.Clone());
        fixed (float* data = result)
        {
            if (back) rope.TurnBack(new(data, Step), Heads, Columns);
            else rope.Turn(new(data, Step), Heads, Columns);
        }
        return result;
    }
}
