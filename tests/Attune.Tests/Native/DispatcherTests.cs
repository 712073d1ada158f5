using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Tests.Native;

[Collection("torch")]
public sealed class DispatcherTests
{
    [Fact]
    public void Call_InPlaceOperator_ChangesTheTensorAndLeavesItsHandleUsable()
    {
        LibTorch.Load();
        using var sum = ones(2, 3);
        using var addend = full([2, 3], 4f);
        Dispatcher.Call("aten::_foreach_mul_", "List", Dispatcher.Argument.List(sum), Dispatcher.Argument.List(addend));
        Assert.Equal(Enumerable.Repeat(4f, 6), sum.data<float>().ToArray());
        Assert.Equal(Enumerable.Repeat(4f, 6), addend.data<float>().ToArray());
    }

    [Fact]
    public void Call_ShapesThatDoNotFit_NamesOperatorShapesAndTypes()
    {
        LibTorch.Load();
        using var left = ones(2, 3);
        using var right = ones([4, 5], ScalarType.Float64);
        Assert.Equal("aten::_foreach_mul_([Float32(2,3), Float32(2,3)], [Float64(4,5), Float32(2,3)]) failed; libtorch's own text stands on standard error.",
            Assert.Throws<InvalidOperationException>(() => Dispatcher.Call(
                "aten::_foreach_mul_", "List", Dispatcher.Argument.List(left, left), Dispatcher.Argument.List(right, left))).Message);
        Assert.Equal("aten::_foreach_mul_([Float32(2,3)], Float64(4,5)) failed; libtorch's own text stands on standard error.",
            Assert.Throws<InvalidOperationException>(() => Dispatcher.Call("aten::_foreach_mul_", "Tensor", Dispatcher.Argument.List(left), right)).Message);
        Assert.Equal(Enumerable.Repeat(1f, 6), left.data<float>().ToArray());
    }

    [Fact]
    public void Call_ThatFails_KeepsNoTensor()
    {
        LibTorch.Load();
        const int megabytes = 64, calls = 10;
        Fail();
        var before = Environment.WorkingSet;
        for (var call = 0; call < calls; call++) Fail();
        // Kept tensors would make 1,280 MiB; the memory of two is free again and may or may not have gone back to the system.
        Assert.InRange(Environment.WorkingSet - before, long.MinValue, 4L * megabytes << 20);

        static void Fail()
        {
            using var left = ones(megabytes << 18, 1);
            using var right = ones(megabytes << 18, 1);
            Assert.Throws<InvalidOperationException>(() => Dispatcher.Call("aten::_foreach_mul_", "Tensor", Dispatcher.Argument.List(left), right));
        }
    }
}
