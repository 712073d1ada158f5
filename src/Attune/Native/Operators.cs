using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Attune.Native;

/// <summary>
/// Operators of libtorch that TorchSharp does not have, called through libtorch's C interface. Autograd follows them like any other. What goes wrong inside them
/// libtorch says on standard error, and the exception says which operator it was.
/// </summary>
/// <remarks>
/// A call has one cell of 8 bytes for each argument of the operator's schema and finds its results in the first ones: a handle for a tensor or a list, the number itself
/// for whole numbers and truth values, the bits of a double, and 0 for what is not given.
/// </remarks>
internal static unsafe partial class Operators
{
    private const ulong NotGiven = 0;

    /// <summary>The rows of a table: <c>aten::embedding</c>.</summary>
    /// <param name="table">(V,E).</param>
    /// <param name="rows">Which rows, whole numbers, L.</param>
    /// <param name="padding">A row that gets no gradient, or -1.</param>
    /// <returns>(L,E).</returns>
    internal static Tensor Embedding(Tensor table, Tensor rows, long padding) =>
        Call("aten::embedding", table.device, results: 1, [Of(table), Of(rows), (ulong)padding, Of(false), Of(false)]);

    /// <summary>Attention over rows that lie one after the other, without padding: <c>aten::_flash_attention_forward</c>. On graphics cards only, in float16 or bfloat16.</summary>
    /// <param name="query">(L,N,D).</param>
    /// <param name="key">(T,N,D).</param>
    /// <param name="value">(T,N,D).</param>
    /// <param name="queryOffsets">First query of each row, and L at the end; int32.</param>
    /// <param name="keyOffsets">First key of each row, and T at the end; int32.</param>
    /// <param name="mostQueries">Of a row.</param>
    /// <param name="mostKeys">Of a row.</param>
    /// <param name="dropout">Share of the probabilities that is dropped.</param>
    /// <param name="window">How many keys before and behind it a query sees beside its own, where each token asks; null for all.</param>
    /// <returns>(L,N,D).</returns>
    internal static Tensor FlashAttention(
        Tensor query, Tensor key, Tensor value, Tensor queryOffsets, Tensor keyOffsets, long mostQueries, long mostKeys, double dropout, int? window) =>
        Call("aten::_flash_attention_forward", query.device, results: 5,
        [
            Of(query), Of(key), Of(value), Given(Of(queryOffsets)), Given(Of(keyOffsets)), (ulong)mostQueries, (ulong)mostKeys, Of(dropout), Of(false), Of(false),
            NotGiven, Given(window), Given(window), NotGiven, NotGiven,
        ]);

    /// <summary>The sum of the bits of floats, each taken as a whole number: the same in any order of summation, and another one where a single bit differs. Waits for the device.</summary>
    /// <param name="floats">Float32, one after the other.</param>
    internal static long SumOfBits(Tensor floats)
    {
        long count = floats.NumberOfElements, step = 1;
        if (FromBlob((nint)LibTorch.Floats(floats), 1, &count, &step, 0, Int32Type(), (int)floats.device.type, Math.Max(0, floats.device.index), out var handle) != 0)
            throw new InvalidOperationException("libtorch makes no tensor of whole numbers");
        using var bits = Tensor.UnsafeCreateTensor(handle);
        using var sum = bits.sum(ScalarType.Int64);
        return sum.item<long>();
    }

    /// <summary>One step of AdamW over flat tensors, each by itself: <c>aten::_fused_adamw_</c>.</summary>
    /// <param name="values">Are changed.</param>
    /// <param name="gradients">One for each; divided by the scale.</param>
    /// <param name="averages">One for each; is changed.</param>
    /// <param name="squares">One for each; is changed.</param>
    /// <param name="steps">For each a tensor of one float32: how many steps it has made with this one.</param>
    /// <param name="settings">Of this step.</param>
    /// <param name="gradientScale">One float32 by which gradients are divided first.</param>
    /// <param name="isSkipped">One float32: where it is 1 nothing is changed.</param>
    internal static void FusedAdamW(
        IReadOnlyList<Tensor> values, IReadOnlyList<Tensor> gradients, IReadOnlyList<Tensor> averages, IReadOnlyList<Tensor> squares, IReadOnlyList<Tensor> steps,
        AdamWSettings settings, Tensor gradientScale, Tensor isSkipped) =>
        Call("aten::_fused_adamw_", gradientScale.device, results: 0,
        [
            Of(values), Of(gradients), Of(averages), Of(squares), Of([]), Of(steps), Of(settings.Rate), Of(settings.Beta1), Of(settings.Beta2), Of(settings.WeightDecay),
            Of(settings.Epsilon), Of(false), Of(false), Given(Of(gradientScale)), Given(Of(isSkipped)),
        ]);

    /// <summary>What a step of AdamW needs to know.</summary>
    internal readonly record struct AdamWSettings(double Rate, double Beta1, double Beta2, double Epsilon, double WeightDecay);

    /// <summary>Calls an operator; of several results the first is wanted.</summary>
    private static Tensor Call(string name, Device device, int results, ReadOnlySpan<ulong> arguments)
    {
        Span<ulong> cells = stackalloc ulong[Math.Max(arguments.Length, results)];
        arguments.CopyTo(cells);
        fixed (ulong* stack = cells)
        {
            if (CallDispatcher(name, "", stack, AbiVersion()) != 0) throw new OperatorException(name, device.type == TorchSharp.DeviceType.CUDA);
        }
        for (var i = 1; i < results; i++) Tensor.UnsafeCreateTensor((nint)cells[i]).Dispose();
        return results == 0 ? null! : Tensor.UnsafeCreateTensor((nint)cells[0]);
    }

    /// <summary>Another handle of the same tensor, which the call takes over.</summary>
    private static ulong Of(Tensor tensor) => NewTensorHandle(tensor.Handle, out var handle) == 0 ? (ulong)handle
        : throw new InvalidOperationException("libtorch gives no handle for a tensor");

    private static ulong Of(IReadOnlyList<Tensor> tensors)
    {
        if (NewList((nuint)tensors.Count, out var list) != 0) throw new InvalidOperationException("libtorch gives no list");
        foreach (var tensor in tensors) _ = AddToList(list, Of(tensor));
        return (ulong)list;
    }

    private static ulong Of(double value) => BitConverter.DoubleToUInt64Bits(value);

    private static ulong Of(bool value) => value ? 1u : 0u;

    /// <summary>The value of an argument that need not be given: a cell of its own, which the call takes over.</summary>
    private static ulong Given(ulong value)
    {
        var cell = (ulong*)NativeMemory.Alloc(sizeof(ulong));
        *cell = value;
        return (ulong)cell;
    }

    private static ulong Given(int? value) => value is { } number ? Given((ulong)number) : NotGiven;

    [LibraryImport(LibTorch.Library, EntryPoint = "aoti_torch_abi_version")]
    private static partial ulong AbiVersion();

    [LibraryImport(LibTorch.Library, EntryPoint = "torch_call_dispatcher", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int CallDispatcher(string name, string overload, ulong* stack, ulong version);

    [LibraryImport(LibTorch.Library, EntryPoint = "aoti_torch_new_tensor_handle")]
    private static partial int NewTensorHandle(nint tensor, out nint handle);

    [LibraryImport(LibTorch.Library, EntryPoint = "torch_new_list_reserve_size")]
    private static partial int NewList(nuint size, out nint list);

    [LibraryImport(LibTorch.Library, EntryPoint = "torch_list_push_back")]
    private static partial int AddToList(nint list, ulong element);

    [LibraryImport(LibTorch.Library, EntryPoint = "aoti_torch_create_tensor_from_blob")]
    private static partial int FromBlob(nint data, long dimensions, long* sizes, long* strides, long offset, int type, int deviceType, int device, out nint tensor);

    [LibraryImport(LibTorch.Library, EntryPoint = "aoti_torch_dtype_int32")]
    private static partial int Int32Type();
}
