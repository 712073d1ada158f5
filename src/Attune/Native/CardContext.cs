using System.Runtime.InteropServices;

namespace Attune.Native;

/// <summary>
/// What a library for graphics cards needs of the driver around its own calls: a card as the current one of a thread, queues of what it is asked for (streams), and marks in them (events). The
/// context is the one that libtorch computes in.
/// </summary>
internal sealed unsafe class CardContext : IDisposable
{
    /// <summary>The queue in which libtorch's work stands.</summary>
    internal const nint Usual = 0;

    private const uint WithoutTime = 2, ApartFromUsual = 1;                 // CU_EVENT_DISABLE_TIMING, CU_STREAM_NON_BLOCKING
    private const int UuidBytes = 16;

    private readonly int _card;
    private readonly nint _context;
    private readonly Functions _functions;

    private CardContext(int card, nint context, Functions functions) => (_card, _context, _functions) = (card, context, functions);

    /// <summary>That of a card; null where the driver does not give it.</summary>
    /// <param name="card">Number of the card.</param>
    internal static CardContext? Of(int card) =>
        NativeLibrary.TryLoad(CudaDriver.Library, out var library) ? Of(card, function => NativeLibrary.TryGetExport(library, function, out var address) ? address : 0) : null;

    /// <summary>The same by any driver.</summary>
    /// <param name="card">Number of the card.</param>
    /// <param name="address">Of a function by its name; 0 where there is none.</param>
    internal static CardContext? Of(int card, Func<string, nint> address)
    {
        if (Functions.Of(address) is not { } functions) return null;
        nint context = 0;
        return functions.Init(0) == 0 && functions.Retain(&context, card) == 0 ? new CardContext(card, context, functions) : null;
    }

    /// <summary>
    /// Bytes of a card that are in use, by all processes; null where the driver does not say. libtorch gives nothing back of what it has taken, so that at the end of a run this is the most that it
    /// has had.
    /// </summary>
    /// <param name="card">Number of the card.</param>
    internal static long? UsedBytes(int card)
    {
        using var context = Of(card);
        if (context is null || context._functions.Push(context._context) != 0) return null;
        nuint free, all;
        nint before;
        var error = context._functions.MemoryInfo(&free, &all);
        _ = context._functions.Pop(&before);
        return error == 0 ? (long)(all - free) : null;
    }

    /// <summary>The number by which the card is known everywhere, in hexadecimal digits; empty where the driver does not say.</summary>
    internal string Uuid()
    {
        var bytes = stackalloc byte[UuidBytes];
        return _functions.Uuid(bytes, _card) == 0 ? Convert.ToHexStringLower(new ReadOnlySpan<byte>(bytes, UuidBytes)) : "";
    }

    /// <summary>Does something while the card is the current one of this thread.</summary>
    internal void Do(Action act)
    {
        Require(_functions.Push(_context));
        try
        {
            act();
        }
        finally
        {
            nint before;
            _ = _functions.Pop(&before);
        }
    }

    /// <summary>A queue beside the usual one; the card works at both at the same time.</summary>
    internal nint NewQueue()
    {
        nint queue = 0;
        Do(() =>
        {
            nint made;
            Require(_functions.CreateStream(&made, ApartFromUsual));
            queue = made;
        });
        return queue;
    }

    /// <summary>Lets a queue go; what stands in it is still done.</summary>
    internal void RemoveQueue(nint queue) => Do(() => _ = _functions.DestroyStream(queue));

    /// <summary>What is put into a queue from now on is done after what stands in another by now.</summary>
    internal void Wait(nint queue, nint on)
    {
        var mark = Mark(on);
        Do(() =>
        {
            Require(_functions.WaitEvent(queue, mark, 0));
            _ = _functions.DestroyEvent(mark);                              // the driver keeps it until it is past
        });
    }

    /// <summary>Marks what stands in a queue by now.</summary>
    /// <returns>Give it to <see cref="IsPast"/> until that says yes, which lets it go.</returns>
    internal nint Mark(nint queue)
    {
        nint mark = 0;
        Do(() =>
        {
            nint made;
            Require(_functions.CreateEvent(&made, WithoutTime));
            Require(_functions.RecordEvent(made, queue));
            mark = made;
        });
        return mark;
    }

    /// <summary>Whether the card has done all before a mark. An error of the card counts as done: who computes with it next is told.</summary>
    internal bool IsPast(nint mark)
    {
        const int notReady = 600;                                           // CUDA_ERROR_NOT_READY
        var isPast = false;
        Do(() =>
        {
            isPast = _functions.QueryEvent(mark) != notReady;
            if (isPast) _ = _functions.DestroyEvent(mark);
        });
        return isPast;
    }

    public void Dispose() => _ = _functions.Release(_card);

    private static void Require(int error)
    {
        if (error != 0) throw new AttuneException(FormattableString.Invariant($"The driver of the graphics card failed with error {error}; look at what nvidia-smi says."));
    }

    /// <summary>The functions of the driver's library, each of which gives the number of an error.</summary>
    private sealed class Functions
    {
        internal delegate* unmanaged[Cdecl]<uint, int> Init;
        internal delegate* unmanaged[Cdecl]<nint*, int, int> Retain;
        internal delegate* unmanaged[Cdecl]<int, int> Release;
        internal delegate* unmanaged[Cdecl]<nint, int> Push;
        internal delegate* unmanaged[Cdecl]<nint*, int> Pop;
        internal delegate* unmanaged[Cdecl]<nuint*, nuint*, int> MemoryInfo;
        internal delegate* unmanaged[Cdecl]<byte*, int, int> Uuid;
        internal delegate* unmanaged[Cdecl]<nint*, uint, int> CreateEvent;
        internal delegate* unmanaged[Cdecl]<nint, nint, int> RecordEvent;
        internal delegate* unmanaged[Cdecl]<nint, int> QueryEvent, DestroyEvent, DestroyStream;
        internal delegate* unmanaged[Cdecl]<nint*, uint, int> CreateStream;
        internal delegate* unmanaged[Cdecl]<nint, nint, uint, int> WaitEvent;

        internal static Functions? Of(Func<string, nint> address)
        {
            var isWhole = true;
            var functions = new Functions
            {
                Init = (delegate* unmanaged[Cdecl]<uint, int>)Address("cuInit"),
                Retain = (delegate* unmanaged[Cdecl]<nint*, int, int>)Address("cuDevicePrimaryCtxRetain"),
                Release = (delegate* unmanaged[Cdecl]<int, int>)Address("cuDevicePrimaryCtxRelease_v2"),
                Push = (delegate* unmanaged[Cdecl]<nint, int>)Address("cuCtxPushCurrent_v2"),
                Pop = (delegate* unmanaged[Cdecl]<nint*, int>)Address("cuCtxPopCurrent_v2"),
                MemoryInfo = (delegate* unmanaged[Cdecl]<nuint*, nuint*, int>)Address("cuMemGetInfo_v2"),
                Uuid = (delegate* unmanaged[Cdecl]<byte*, int, int>)Address("cuDeviceGetUuid"),
                CreateEvent = (delegate* unmanaged[Cdecl]<nint*, uint, int>)Address("cuEventCreate"),
                RecordEvent = (delegate* unmanaged[Cdecl]<nint, nint, int>)Address("cuEventRecord"),
                QueryEvent = (delegate* unmanaged[Cdecl]<nint, int>)Address("cuEventQuery"),
                DestroyEvent = (delegate* unmanaged[Cdecl]<nint, int>)Address("cuEventDestroy_v2"),
                CreateStream = (delegate* unmanaged[Cdecl]<nint*, uint, int>)Address("cuStreamCreate"),
                DestroyStream = (delegate* unmanaged[Cdecl]<nint, int>)Address("cuStreamDestroy_v2"),
                WaitEvent = (delegate* unmanaged[Cdecl]<nint, nint, uint, int>)Address("cuStreamWaitEvent"),
            };
            return isWhole ? functions : null;

            nint Address(string function)
            {
                var found = address(function);
                isWhole &= found != 0;
                return found;
            }
        }
    }
}
