using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Attune.Native;

/// <summary>The functions of NCCL that are used here: sums over graphics cards, without a way through the processor's memory. Loaded when several cards train together, never before.</summary>
/// <remarks>Declared as in nccl.h of NCCL 2, whose interface has stayed since 2017.</remarks>
internal sealed unsafe class NcclLibrary
{
    /// <summary>The environment variable that names the library, in place of the usual places.</summary>
    internal const string NameVariable = "ATTUNE_NCCL_LIBRARY";

    private const string FileName = "libnccl.so.2";
    private const int Float32 = 7, Sum = 0, InProgress = 7;                 // ncclFloat32, ncclSum, ncclInProgress

    private readonly delegate* unmanaged[Cdecl]<int*, int> _version;
    private readonly delegate* unmanaged[Cdecl]<UniqueId*, int> _uniqueId;
    private readonly delegate* unmanaged[Cdecl]<nint*, int, UniqueId, int, int> _join;
    private readonly delegate* unmanaged[Cdecl]<nint, nint, nuint, int, int, nint, nint, int> _allReduce;
    private readonly delegate* unmanaged[Cdecl]<nint, int*, int> _asyncError;
    private readonly delegate* unmanaged[Cdecl]<nint, int> _abort, _destroy;
    private readonly delegate* unmanaged[Cdecl]<int, byte*> _errorText;

    private NcclLibrary(string name, Func<string, nint> address)
    {
        Name = name;
        _version = (delegate* unmanaged[Cdecl]<int*, int>)Of("ncclGetVersion");
        _uniqueId = (delegate* unmanaged[Cdecl]<UniqueId*, int>)Of("ncclGetUniqueId");
        _join = (delegate* unmanaged[Cdecl]<nint*, int, UniqueId, int, int>)Of("ncclCommInitRank");
        _allReduce = (delegate* unmanaged[Cdecl]<nint, nint, nuint, int, int, nint, nint, int>)Of("ncclAllReduce");
        _asyncError = (delegate* unmanaged[Cdecl]<nint, int*, int>)Of("ncclCommGetAsyncError");
        _abort = (delegate* unmanaged[Cdecl]<nint, int>)Of("ncclCommAbort");
        _destroy = (delegate* unmanaged[Cdecl]<nint, int>)Of("ncclCommDestroy");
        _errorText = (delegate* unmanaged[Cdecl]<int, byte*>)Of("ncclGetErrorString");
        int version;
        Check("ncclGetVersion", _version(&version));
        // As NCCL numbers itself: 22703 is 2.27.3, and 2708 of old was 2.7.8.
        Version = version >= 10000 ? FormattableString.Invariant($"{version / 10000}.{version / 100 % 100}.{version % 100}")
            : FormattableString.Invariant($"{version / 1000}.{version / 100 % 10}.{version % 100}");

        nint Of(string function) => address(function) is not 0 and var found ? found
            : throw new AttuneException($"{name} has no {function}, so it is no NCCL that can be used; name another one in {NameVariable}.");
    }

    /// <summary>The name that it was loaded by.</summary>
    internal string Name { get; }

    /// <summary>For example 2.27.3.</summary>
    internal string Version { get; }

    /// <summary>Loads it: the one that is named, else the one that libtorch has loaded or the system has, else one beside an installed PyTorch. Null where there is none.</summary>
    /// <exception cref="AttuneException">One is named and cannot be used.</exception>
    internal static NcclLibrary? Find()
    {
        if (Environment.GetEnvironmentVariable(NameVariable) is { Length: > 0 } named)
            return NativeLibrary.TryLoad(named, out var chosen) ? Of(named, Exports(chosen)) : throw new AttuneException($"{NameVariable} is {named}, which cannot be loaded; name a {FileName}, or unset it.");
        foreach (var name in Places())
            if (NativeLibrary.TryLoad(name, out var library)) return Of(name, Exports(library));
        return null;

        static Func<string, nint> Exports(nint library) => function => NativeLibrary.TryGetExport(library, function, out var address) ? address : 0;
    }

    /// <summary>One of any functions.</summary>
    /// <param name="name">For sentences.</param>
    /// <param name="address">Of a function by its name; 0 where there is none.</param>
    /// <exception cref="AttuneException">Some are missing.</exception>
    internal static NcclLibrary Of(string name, Func<string, nint> address) => new(name, address);

    /// <summary>A new number by which processes find each other; one of them makes it and tells the others.</summary>
    internal byte[] NewId()
    {
        UniqueId id = default;
        Check("ncclGetUniqueId", _uniqueId(&id));
        return MemoryMarshal.AsBytes(new ReadOnlySpan<UniqueId>(in id)).ToArray();
    }

    /// <summary>Joins the others; returns when all are there. The card of this process is the current one.</summary>
    /// <param name="id">From <see cref="NewId"/> of one of them.</param>
    /// <param name="rank">Number of this process.</param>
    /// <param name="size">Number of processes, each with a card of its own.</param>
    internal nint Join(ReadOnlySpan<byte> id, int rank, int size)
    {
        nint communicator;
        Check("ncclCommInitRank", _join(&communicator, size, MemoryMarshal.Read<UniqueId>(id), rank));
        return communicator;
    }

    /// <summary>Adds up floats over the processes, in place, on the card; nobody waits here.</summary>
    /// <param name="communicator">From <see cref="Join"/>.</param>
    /// <param name="values">Address on the card.</param>
    /// <param name="count">How many.</param>
    /// <param name="queue">The stream in which it stands.</param>
    internal void AllReduce(nint communicator, nint values, long count, nint queue) =>
        Check("ncclAllReduce", _allReduce(values, values, (nuint)count, Float32, Sum, communicator, queue));

    /// <summary>What has gone wrong since; null for nothing.</summary>
    internal string? Trouble(nint communicator)
    {
        int error;
        var asked = _asyncError(communicator, &error);
        return asked == 0 && error is 0 or InProgress ? null : Text(asked == 0 ? error : asked);
    }

    /// <summary>Ends sums that are under way, which may never end by themselves.</summary>
    internal void Abort(nint communicator) => _ = _abort(communicator);

    /// <summary>Leaves the others, when all is done.</summary>
    internal void Leave(nint communicator) => _ = _destroy(communicator);

    /// <summary>libtorch's own comes first: where it was loaded with that, the loader knows it by its name.</summary>
    private static IEnumerable<string> Places()
    {
        yield return FileName;
        if (LibTorchFolder.OfUser is not { Location: var torch }) yield break;
        yield return Path.Combine(torch, FileName);
        yield return Path.GetFullPath(Path.Combine(torch, "..", "..", "nvidia", "nccl", "lib", FileName));
    }

    private string Text(int error) => Marshal.PtrToStringUTF8((nint)_errorText(error)) ?? FormattableString.Invariant($"error {error}");

    private void Check(string function, int error)
    {
        if (error is not 0 and not InProgress)
            throw new AttuneException($"{function} failed ({Text(error)}): the cards do not reach each other. NCCL_DEBUG=INFO makes it say more; --device cpu computes without cards.");
    }

    /// <summary>ncclUniqueId, which goes over by value.</summary>
    [InlineArray(128)]
    private struct UniqueId
    {
        private byte _first;
    }
}
