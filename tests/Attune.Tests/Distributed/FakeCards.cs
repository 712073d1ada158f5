using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Attune.Tests.Distributed;

/// <summary>
/// A driver and an NCCL whose cards are threads that compute in the processor's memory, called by the same addresses of functions as the real ones. A card's number is also its uuid; what cards
/// of a group are asked for they do at once, when all have asked.
/// </summary>
internal static unsafe class FakeCards
{
    private const int NotReady = 600, SystemError = 2;
    private const nint Queue = 99;

    private static readonly Dictionary<byte, Group> Groups = [];
    private static readonly List<(Group Of, int Rank)> Members = [];
    private static readonly System.Collections.Concurrent.ConcurrentDictionary<nint, nint> RecordedIn = [];
    private static byte _groups;
    private static int _events;

    /// <summary>Whether the next sum of this thread's card stands behind what it adds up.</summary>
    [ThreadStatic]
    private static bool _isReady;

    /// <summary>How long the cards say that they are not done: a sum that never ends.</summary>
    internal static volatile bool IsStuck;

    /// <summary>What NCCL says when it is asked how it goes; 0 is well.</summary>
    internal static volatile int Trouble;

    /// <summary>How many communicators were aborted and left.</summary>
    internal static int Aborted, Left;

    /// <summary>Addresses of the driver's functions.</summary>
    internal static nint Driver(string function) => function switch
    {
        "cuInit" => (nint)(delegate* unmanaged[Cdecl]<uint, int>)&Init,
        "cuDevicePrimaryCtxRetain" => (nint)(delegate* unmanaged[Cdecl]<nint*, int, int>)&Retain,
        "cuDevicePrimaryCtxRelease_v2" => (nint)(delegate* unmanaged[Cdecl]<int, int>)&Release,
        "cuCtxPushCurrent_v2" => (nint)(delegate* unmanaged[Cdecl]<nint, int>)&Push,
        "cuCtxPopCurrent_v2" => (nint)(delegate* unmanaged[Cdecl]<nint*, int>)&Pop,
        "cuMemGetInfo_v2" => (nint)(delegate* unmanaged[Cdecl]<nuint*, nuint*, int>)&Memory,
        "cuDeviceGetUuid" => (nint)(delegate* unmanaged[Cdecl]<byte*, int, int>)&Uuid,
        "cuEventCreate" => (nint)(delegate* unmanaged[Cdecl]<nint*, uint, int>)&CreateEvent,
        "cuEventRecord" => (nint)(delegate* unmanaged[Cdecl]<nint, nint, int>)&RecordEvent,
        "cuEventQuery" => (nint)(delegate* unmanaged[Cdecl]<nint, int>)&QueryEvent,
        "cuEventDestroy_v2" => (nint)(delegate* unmanaged[Cdecl]<nint, int>)&DestroyEvent,
        "cuStreamCreate" => (nint)(delegate* unmanaged[Cdecl]<nint*, uint, int>)&CreateStream,
        "cuStreamDestroy_v2" => (nint)(delegate* unmanaged[Cdecl]<nint, int>)&DestroyStream,
        "cuStreamWaitEvent" => (nint)(delegate* unmanaged[Cdecl]<nint, nint, uint, int>)&WaitEvent,
        _ => 0,
    };

    /// <summary>Addresses of NCCL's functions.</summary>
    internal static nint Nccl(string function) => function switch
    {
        "ncclGetVersion" => (nint)(delegate* unmanaged[Cdecl]<int*, int>)&Version,
        "ncclGetUniqueId" => (nint)(delegate* unmanaged[Cdecl]<Id*, int>)&NewId,
        "ncclCommInitRank" => (nint)(delegate* unmanaged[Cdecl]<nint*, int, Id, int, int>)&Join,
        "ncclAllReduce" => (nint)(delegate* unmanaged[Cdecl]<nint, nint, nuint, int, int, nint, nint, int>)&AllReduce,
        "ncclCommGetAsyncError" => (nint)(delegate* unmanaged[Cdecl]<nint, int*, int>)&AsyncError,
        "ncclCommAbort" => (nint)(delegate* unmanaged[Cdecl]<nint, int>)&Abort,
        "ncclCommDestroy" => (nint)(delegate* unmanaged[Cdecl]<nint, int>)&Leave,
        "ncclGetErrorString" => (nint)(delegate* unmanaged[Cdecl]<int, byte*>)&ErrorText,
        _ => 0,
    };

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Init(uint flags) => 0;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Retain(nint* context, int card)
    {
        *context = card + 1;
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Release(int card) => 0;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Push(nint context) => context > 0 ? 0 : 201;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Pop(nint* context) => 0;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Memory(nuint* free, nuint* all)
    {
        (*free, *all) = (1, 3);
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Uuid(byte* uuid, int card)
    {
        new Span<byte>(uuid, 16).Fill((byte)card);
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int CreateEvent(nint* made, uint flags)
    {
        *made = Interlocked.Increment(ref _events);
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int RecordEvent(nint mark, nint stream)
    {
        RecordedIn[mark] = stream;
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int CreateStream(nint* made, uint flags)
    {
        *made = Queue;
        return flags == 1 ? 0 : 1;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int DestroyStream(nint stream) => stream == Queue ? 0 : 1;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int WaitEvent(nint stream, nint mark, uint flags)
    {
        // Sums wait for libtorch's work, and that for the sums.
        if (stream == RecordedIn[mark]) return 1;
        if (stream == Queue) _isReady = true;
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int QueryEvent(nint mark) => IsStuck ? NotReady : 0;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int DestroyEvent(nint mark) => 0;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Version(int* version)
    {
        *version = 22703;
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int NewId(Id* id)
    {
        lock (Groups)
            for (var i = 0; i < sizeof(Id); i++) (*id)[i] = (byte)(_groups + i);
        _groups++;
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Join(nint* communicator, int size, Id id, int rank)
    {
        // All bytes must have come over.
        for (var i = 0; i < sizeof(Id); i++)
            if (id[i] != (byte)(id[0] + i)) return 4;
        lock (Groups)
        {
            if (!Groups.TryGetValue(id[0], out var group)) Groups[id[0]] = group = new Group(size);
            Members.Add((group, rank));
            *communicator = Members.Count;
        }
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int AllReduce(nint send, nint receive, nuint count, int type, int operation, nint communicator, nint stream)
    {
        if (send != receive || type != 7 || operation != 0 || stream != Queue || !_isReady) return 4;
        _isReady = false;
        (Group Of, int Rank) member;
        lock (Groups) member = Members[(int)communicator - 1];
        member.Of.Add(member.Rank, (float*)send, (int)count);
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int AsyncError(nint communicator, int* error)
    {
        *error = Trouble;
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Abort(nint communicator)
    {
        Interlocked.Increment(ref Aborted);
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Leave(nint communicator)
    {
        Interlocked.Increment(ref Left);
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static byte* ErrorText(int error)
    {
        var text = error == SystemError ? "a link is down"u8 : "invalid argument"u8;               // constants of the program end in a zero
        return (byte*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref MemoryMarshal.GetReference(text));
    }

    /// <summary>Cards that add up together.</summary>
    private sealed class Group(int size)
    {
        private readonly float*[] _values = new float*[size];
        private int _there, _rounds;

        internal void Add(int rank, float* values, int count)
        {
            _values[rank] = values;
            Meet();
            if (rank == 0)
                for (var i = 0; i < count; i++)
                {
                    var sum = 0f;
                    foreach (var one in _values) sum += one[i];
                    foreach (var one in _values) one[i] = sum;
                }
            Meet();
        }

        /// <summary>Returns when all are there.</summary>
        private void Meet()
        {
            lock (_values)
            {
                var round = _rounds;
                if (++_there == size)
                {
                    (_there, _rounds) = (0, _rounds + 1);
                    Monitor.PulseAll(_values);
                }
                while (_rounds == round) Monitor.Wait(_values);
            }
        }
    }

    [InlineArray(128)]
    private struct Id
    {
        private byte _first;
    }
}
