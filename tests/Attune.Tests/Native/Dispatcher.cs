using System.Runtime.InteropServices;
using System.Text;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Tests.Native;

/// <summary>Calls an operator of libtorch that TorchSharp does not offer, through the C interface that is stable across its versions.</summary>
/// <remarks>
/// Arguments go in the order of the operator's schema, one cell of eight bytes each; the call takes over every tensor handle and list in
/// them. Scalar and Generator arguments do not exist in this interface. Declared in torch/csrc/stable/c/shim.h and
/// torch/csrc/inductor/aoti_torch/c/shim.h of PyTorch 2.10.
/// </remarks>
internal static unsafe partial class Dispatcher
{
    private static readonly ulong AbiVersion = GetAbiVersion();

    /// <summary>An argument of an operator, in the form in which it travels.</summary>
    internal readonly struct Argument
    {
        internal readonly ulong Cell;
        private readonly string _description;

        private Argument(ulong cell, string description) => (Cell, _description) = (cell, description);

        public static implicit operator Argument(double value) => new(BitConverter.DoubleToUInt64Bits(value), $"{value}");

        public static implicit operator Argument(long value) => new(unchecked((ulong)value), $"{value}");

        public static implicit operator Argument(bool value) => new(value ? 1ul : 0, value ? "true" : "false");

        public static implicit operator Argument(Tensor tensor) => new(Own(tensor), Describe(tensor));

        /// <summary>The absent value of an optional argument.</summary>
        internal static Argument None => new(0, "none");

        /// <summary>A value of an optional tensor argument.</summary>
        internal static Argument Some(Tensor tensor)
        {
            var cell = (ulong*)NativeMemory.Alloc(sizeof(ulong));
            *cell = Own(tensor);
            return new((ulong)cell, Describe(tensor));
        }

        internal static Argument List(params ReadOnlySpan<Tensor> tensors)
        {
            Check(NewList((nuint)tensors.Length, out var list), "torch_new_list_reserve_size");
            var description = new StringBuilder("[");
            foreach (var tensor in tensors)
            {
                Check(PushBack(list, Own(tensor)), "torch_list_push_back");
                description.Append(description.Length > 1 ? ", " : "").Append(Describe(tensor));
            }
            return new((ulong)list, description.Append(']').ToString());
        }

        public override string ToString() => _description;

        private static ulong Own(Tensor tensor)
        {
            Check(NewHandle(tensor.Handle, out var handle), "aoti_torch_new_tensor_handle");
            return (ulong)handle;
        }

        private static string Describe(Tensor tensor) => $"{tensor.dtype}({string.Join(',', tensor.shape)})";
    }

    /// <summary>Calls an operator that works in place and returns nothing.</summary>
    /// <param name="name">Name with its name space, for example <c>aten::_fused_adamw_</c>.</param>
    /// <param name="overload">Name of the overload; empty for the one without.</param>
    /// <param name="arguments">All arguments of the schema, defaults included.</param>
    /// <exception cref="InvalidOperationException">The operator refuses; libtorch writes its own text to standard error.</exception>
    internal static void Call(string name, string overload, params ReadOnlySpan<Argument> arguments)
    {
        Span<ulong> stack = stackalloc ulong[arguments.Length];
        for (var i = 0; i < arguments.Length; i++) stack[i] = arguments[i].Cell;
        int code;
        fixed (ulong* cells = stack) code = CallDispatcher(name, overload, cells, AbiVersion);
        if (code != 0)
            throw new InvalidOperationException(
                $"{name}({string.Join(", ", arguments.ToArray())}) failed; libtorch's own text stands on standard error.");
    }

    private static void Check(int code, string function)
    {
        if (code != 0) throw new InvalidOperationException($"{function} failed; libtorch's own text stands on standard error.");
    }

    [LibraryImport(LibTorch.Library, EntryPoint = "aoti_torch_abi_version")]
    private static partial ulong GetAbiVersion();

    [LibraryImport(LibTorch.Library, EntryPoint = "torch_call_dispatcher", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int CallDispatcher(string name, string overload, ulong* stack, ulong version);

    [LibraryImport(LibTorch.Library, EntryPoint = "aoti_torch_new_tensor_handle")]
    private static partial int NewHandle(nint tensor, out nint handle);

    [LibraryImport(LibTorch.Library, EntryPoint = "torch_new_list_reserve_size")]
    private static partial int NewList(nuint size, out nint list);

    [LibraryImport(LibTorch.Library, EntryPoint = "torch_list_push_back")]
    private static partial int PushBack(nint list, ulong value);
}
