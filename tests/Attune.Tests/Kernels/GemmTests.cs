using System.Runtime.Intrinsics.X86;
using Attune.Kernels;
using Attune.Native;
using CsCheck;
using static TorchSharp.torch;

namespace Attune.Tests.Kernels;

[Collection(nameof(TorchCollection))]
public unsafe class GemmTests
{
    private const float Untouched = 1e30f;

    [Fact]
    public void Multiply_AnyShapeAndLayout_IsTheProductAndItsSquares()
    {
        RequireWideVectors();
        Gen.Select(Gen.Int[1, 70], Gen.Int[1, 100], Gen.Int[1, 80], Gen.Bool, Gen.Bool, Gen.Bool, Gen.Int[0, 5], Gen.Int).Sample(
            (m, n, k, leftTransposed, rightTransposed, accumulate, gap, seed) =>
                Check(m, n, k, leftTransposed, rightTransposed, accumulate, gap, seed), iter: 300);
    }

    [Theory]
    [InlineData(1600, 40, 50)]
    [InlineData(13, 40, 3300)]
    public void Multiply_MoreThanIsPackedAtATime_IsTheProductAndItsSquares(int m, int n, int k)
    {
        RequireWideVectors();
        Check(m, n, k, leftTransposed: false, rightTransposed: true, accumulate: false, gap: 0, seed: 1);
        Check(m, n, k, leftTransposed: true, rightTransposed: false, accumulate: true, gap: 3, seed: 2);
    }

    [Fact]
    public void Multiply_PastTheCaches_GivesTheSameBits()
    {
        LibTorch.Load();
        using Tensor left = rand(100, 70), right = rand(70, 96), usual = zeros(100, 96), past = zeros(100, 96);
        var squares = MatrixProduct.Multiply(left, right, usual);
        Assert.Equal(squares, MatrixProduct.Multiply(left, right, past, pastCache: true));
        Assert.Equal(LibTorch.Span(usual).ToArray(), LibTorch.Span(past).ToArray());
    }

    private static void RequireWideVectors() => Assert.SkipUnless(Avx512F.IsSupported, "This processor has no 512-bit vectors: Attune does not use these products on it.");

    private static void Check(int m, int n, int k, bool leftTransposed, bool rightTransposed, bool accumulate, int gap, int seed)
    {
        var random = new Random(seed);
        var (left, leftShape) = Matrix(m, k, leftTransposed, gap, random);
        var (right, rightShape) = Matrix(k, n, rightTransposed, gap, random);
        var step = n + gap;
        var result = new float[m * step];
        for (var i = 0; i < m; i++)
            for (var j = 0; j < step; j++) result[i * step + j] = j < n ? random.NextSingle() : Untouched;
        var before = (float[])result.Clone();

        double squares, expectedSquares = 0;
        fixed (float* a = left, b = right, c = result)
            squares = Gemm.Multiply(m, n, k, new(a, leftShape.Step, leftShape.ColumnStep), new(b, rightShape.Step, rightShape.ColumnStep), new(c, step), accumulate);

        for (var i = 0; i < m; i++)
        {
            for (var j = 0; j < n; j++)
            {
                double sum = accumulate ? before[i * step + j] : 0;
                for (var p = 0; p < k; p++)
                    sum += (double)left[i * leftShape.Step + p * leftShape.ColumnStep] * right[p * rightShape.Step + j * rightShape.ColumnStep];
                Assert.Equal(sum, result[i * step + j], 1e-6 * (k + 10));
                expectedSquares += sum * sum;
            }
            for (var j = n; j < step; j++) Assert.Equal(Untouched, result[i * step + j]);
        }
        Assert.Equal(expectedSquares, squares, 1e-5 * (expectedSquares + 1));
    }

    private static (float[] Values, (long Step, long ColumnStep) Shape) Matrix(int lines, int columns, bool transposed, int gap, Random random)
    {
        var step = (transposed ? lines : columns) + gap;
        var values = new float[step * (transposed ? columns : lines)];
        for (var i = 0; i < values.Length; i++) values[i] = random.NextSingle() * 2 - 1;
        return (values, transposed ? (1, step) : (step, 1));
    }
}
