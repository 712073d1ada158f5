using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Kernels;

/// <summary>Products of matrices, by whichever of Attune's and libtorch's kernels is faster for their shape on this processor.</summary>
internal static unsafe class MatrixProduct
{
    /// <summary>Lines of a result below which packing the right side costs more than faster tiles give back.</summary>
    private const int FewLines = 32;

    /// <summary>result = left right, or result += left right.</summary>
    /// <param name="left">(M,K), or a transposed view.</param>
    /// <param name="right">(K,N), or a transposed view.</param>
    /// <param name="result">(M,N), contiguous.</param>
    /// <param name="accumulate">Whether the result is added to.</param>
    /// <param name="pastCache">Whether the result will have left the caches before it is read.</param>
    /// <returns>The sum of the squares of the result's elements where it cost nothing to know, else null.</returns>
    internal static double? Multiply(Tensor left, Tensor right, Tensor result, bool accumulate = false, bool pastCache = false)
    {
        var (m, n) = ((int)result.size(0), (int)result.size(1));
        if (!Gemm.IsPreferred || m < FewLines)
        {
            _ = result.addmm_(left, right, beta: accumulate ? 1 : 0, alpha: 1);
            return null;
        }
        return Gemm.Multiply(m, n, (int)left.size(1), Matrix(left), Matrix(right), Matrix(result), accumulate, pastCache);
    }

    /// <summary>The same with operands of bfloat16: the products are summed in float32, and the result is rounded to bfloat16 before it is put or added.</summary>
    /// <returns>The sum of the squares of the result's elements.</returns>
    internal static double MultiplyRounded(Tensor left, Tensor right, Tensor result, bool accumulate = false, bool pastCache = false)
    {
        using var product = left.mm(right);
        MemoryMeter.Took(product);
        return BFloat16Conversion.Widen((ushort*)LibTorch.Floats(product), LibTorch.Floats(result), result.NumberOfElements, accumulate, pastCache);
    }

    /// <summary>
    /// The same with operands that <see cref="Halves"/> gave: the products are summed in float32, and the result is rounded to the numbers of float16 before it is
    /// put or added.
    /// </summary>
    internal static void MultiplyHalves(Tensor left, Tensor right, Tensor result, bool accumulate = false)
    {
        using var product = LibTorch.Empty(result.shape);
        _ = Multiply(left, right, product);
        Float16Rounding.Round(LibTorch.Floats(product), LibTorch.Floats(result), result.NumberOfElements, accumulate);
    }

    /// <summary>A copy in float32, rounded to the numbers of float16; <paramref name="tensor"/> is contiguous.</summary>
    internal static Tensor Halves(Tensor tensor)
    {
        var rounded = LibTorch.Empty(tensor.shape);
        Float16Rounding.Round(LibTorch.Floats(tensor), LibTorch.Floats(rounded), tensor.NumberOfElements);
        return rounded;
    }

    /// <summary>result = factor left right, or is added to, by libtorch: for products with a side of a few lines or columns. All may be views with steps.</summary>
    internal static void MultiplyThin(Tensor left, Tensor right, Tensor result, bool accumulate, double factor = 1) =>
        _ = result.addmm_(left, right, beta: accumulate ? 1 : 0, alpha: (float)factor);

    /// <summary>A copy in bfloat16, (M,N) as <paramref name="tensor"/>, which is contiguous.</summary>
    internal static Tensor Rounded(Tensor tensor)
    {
        var rounded = LibTorch.Empty(ScalarType.BFloat16, tensor.shape);
        Round(tensor, rounded);
        return rounded;
    }

    /// <summary>Copies into a tensor of bfloat16.</summary>
    internal static void Round(Tensor from, Tensor to) => BFloat16Conversion.Round(LibTorch.Floats(from), (ushort*)LibTorch.Floats(to), from.NumberOfElements);

    private static Gemm.Matrix Matrix(Tensor tensor) => new(LibTorch.Floats(tensor), tensor.stride(0), tensor.stride(1));
}
