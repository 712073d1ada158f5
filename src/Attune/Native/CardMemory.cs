using System.Runtime.InteropServices;

namespace Attune.Native;

/// <summary>The memory of a graphics card, as its driver counts it.</summary>
internal static unsafe class CardMemory
{
    /// <summary>
    /// Bytes that are in use, by all processes. libtorch gives nothing back of what it has taken, so that at the end of a run this is the most that it has had.
    /// </summary>
    /// <param name="card">The card's number.</param>
    /// <returns>Null where the driver does not say.</returns>
    internal static long? UsedBytes(int card)
    {
        if (!NativeLibrary.TryLoad(CudaDriver.Library, out var library)) return null;
        var init = (delegate* unmanaged[Cdecl]<uint, int>)Of("cuInit");
        var retain = (delegate* unmanaged[Cdecl]<nint*, int, int>)Of("cuDevicePrimaryCtxRetain");
        var release = (delegate* unmanaged[Cdecl]<int, int>)Of("cuDevicePrimaryCtxRelease_v2");
        var push = (delegate* unmanaged[Cdecl]<nint, int>)Of("cuCtxPushCurrent_v2");
        var pop = (delegate* unmanaged[Cdecl]<nint*, int>)Of("cuCtxPopCurrent_v2");
        var info = (delegate* unmanaged[Cdecl]<nuint*, nuint*, int>)Of("cuMemGetInfo_v2");
        if (init is null || retain is null || release is null || push is null || pop is null || info is null) return null;
        nint context = 0;
        if (init(0) != 0 || retain(&context, card) != 0) return null;
        try
        {
            nuint free = 0, all = 0;
            if (push(context) != 0) return null;
            var error = info(&free, &all);
            _ = pop(&context);
            return error == 0 ? (long)(all - free) : null;
        }
        finally
        {
            _ = release(card);
        }

        nint Of(string function) => NativeLibrary.TryGetExport(library, function, out var address) ? address : 0;
    }
}
