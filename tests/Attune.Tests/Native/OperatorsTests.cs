using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Tests.Native;

/// <summary>Operators called through libtorch's C interface.</summary>
[Collection("torch")]
public sealed class OperatorsTests
{
    [Fact]
    public void Embedding_RowsAndPadding_GivesTheRowsAndTheirGradients()
    {
        using var table = tensor(new float[] { 1, 2, 3, 4, 5, 6 }, [3, 2], requires_grad: true);
        using var rows = tensor(new[] { 2, 0, 2, 1 }, int32);
        using var found = Operators.Embedding(table, rows, padding: 1);
        Assert.Equal([5, 6, 1, 2, 5, 6, 3, 4], found.data<float>().ToArray());
        found.sum().backward();
        using var gradient = table.grad!;
        Assert.Equal([1, 1, 0, 0, 2, 2], gradient.data<float>().ToArray());
    }

    /// <summary>Libtorch takes the arguments apart and looks for a kernel before it says, on standard error, that the processor has none.</summary>
    [Theory, InlineData(null), InlineData(2)]
    public void FlashAttention_OnTheProcessor_IsRefused(int? window)
    {
        using var rows = zeros(5, 2, 8, dtype: ScalarType.BFloat16);
        using var offsets = tensor(new[] { 0, 2, 5 }, int32);
        var error = Assert.Throws<OperatorException>(() => Operators.FlashAttention(rows, rows, rows, offsets, offsets, 3, 3, 0.1, window));
        Assert.Contains("aten::_flash_attention_forward failed", error.Message, StringComparison.Ordinal);
        Assert.False(LibTorch.IsOutOfMemory(error));
        // A card says no more of it, and there it is most likely memory: the batch is computed in parts.
        Assert.True(LibTorch.IsOutOfMemory(new OperatorException("aten::embedding", isOnCard: true)));
    }
}
