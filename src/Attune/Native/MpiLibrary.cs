using System.Runtime.InteropServices;
using System.Text;

namespace Attune.Native;

/// <summary>The functions of an MPI library that are used here: point-to-point messages, start and end. Loaded when several processes are asked for, never before.</summary>
/// <remarks>One thread at a time may call them (MPI_THREAD_SERIALIZED).</remarks>
internal sealed unsafe partial class MpiLibrary
{
    private const int Now = 2, Global = 0x100;                              // of dlopen on Linux

    private readonly delegate* unmanaged[Cdecl]<int*, byte***, int, int*, int> _initThread;
    private readonly delegate* unmanaged[Cdecl]<int> _finalize;
    private readonly delegate* unmanaged[Cdecl]<nint, int, int> _abort;
    private readonly delegate* unmanaged[Cdecl]<nint, int*, int> _rank, _size;
    private readonly delegate* unmanaged[Cdecl]<nint, nint, int> _setErrorHandler;
    private readonly delegate* unmanaged[Cdecl]<nint, int, nint, int, int, nint, nint*, int> _send, _receive;
    private readonly delegate* unmanaged[Cdecl]<nint*, int*, nint, int> _test;
    private readonly delegate* unmanaged[Cdecl]<int, byte*, int*, int> _errorString;

    private MpiLibrary(string name, nint library, MpiAbi abi)
    {
        (Name, Abi, Version) = (name, abi, MpiAbi.VersionOf(library) ?? abi.Name);
        _initThread = (delegate* unmanaged[Cdecl]<int*, byte***, int, int*, int>)Of("MPI_Init_thread");
        _finalize = (delegate* unmanaged[Cdecl]<int>)Of("MPI_Finalize");
        _abort = (delegate* unmanaged[Cdecl]<nint, int, int>)Of("MPI_Abort");
        _rank = (delegate* unmanaged[Cdecl]<nint, int*, int>)Of("MPI_Comm_rank");
        _size = (delegate* unmanaged[Cdecl]<nint, int*, int>)Of("MPI_Comm_size");
        _setErrorHandler = (delegate* unmanaged[Cdecl]<nint, nint, int>)Of("MPI_Comm_set_errhandler");
        _send = (delegate* unmanaged[Cdecl]<nint, int, nint, int, int, nint, nint*, int>)Of("MPI_Isend");
        _receive = (delegate* unmanaged[Cdecl]<nint, int, nint, int, int, nint, nint*, int>)Of("MPI_Irecv");
        _test = (delegate* unmanaged[Cdecl]<nint*, int*, nint, int>)Of("MPI_Test");
        _errorString = (delegate* unmanaged[Cdecl]<int, byte*, int*, int>)Of("MPI_Error_string");

        nint Of(string function) => NativeLibrary.TryGetExport(library, function, out var address) ? address
            : throw new AttuneException($"{name} has no {function}, so it is no MPI library that can be used; name another one in {NameVariable}.");
    }

    /// <summary>The environment variable that names the library, in place of the usual names.</summary>
    internal const string NameVariable = "ATTUNE_MPI_LIBRARY";

    /// <summary>The name that it was loaded by.</summary>
    internal string Name { get; }

    /// <summary>How it describes itself.</summary>
    internal string Version { get; }

    internal MpiAbi Abi { get; }

    /// <summary>Loads the first library that there is.</summary>
    /// <exception cref="AttuneException">There is none, or it is not known.</exception>
    internal static MpiLibrary Load(IReadOnlyList<string> names)
    {
        LeaveCodeAlone();
        foreach (var name in names)
        {
            // The plug-ins of Open MPI look its symbols up among the global ones.
            if (OperatingSystem.IsLinux() && Open(name, Now | Global) == 0 || !NativeLibrary.TryLoad(name, out var library)) continue;
            var abi = MpiAbi.Of(library) ?? throw new AttuneException(
                $"{name} ({MpiAbi.VersionOf(library) ?? "without a version"}) is an MPI library of a kind that is not known; name one of Open MPI or MPICH in {NameVariable}.");
            return new MpiLibrary(name, library, abi);
        }
        throw new AttuneException($"Several processes need MPI, but no library of it can be loaded ({string.Join(", ", names)}); install Open MPI or MPICH, or name the library in {NameVariable}.");
    }

    /// <summary>Starts MPI so that one thread at a time may call it.</summary>
    /// <exception cref="AttuneException">It cannot be started so.</exception>
    internal void Start()
    {
        int provided;
        Check("MPI_Init_thread", _initThread(null, null, Abi.Serialized, &provided));
        if (provided < Abi.Serialized) throw new AttuneException($"{Version} cannot be called from a thread of its own (MPI_THREAD_SERIALIZED); take another MPI library.");
        Check("MPI_Comm_set_errhandler", _setErrorHandler(Abi.World, Abi.ErrorsReturn));
    }

    internal (int Rank, int Size) Place()
    {
        int rank, size;
        Check("MPI_Comm_rank", _rank(Abi.World, &rank));
        Check("MPI_Comm_size", _size(Abi.World, &size));
        return (rank, size);
    }

    /// <summary>Begins to send bytes, which must stay as they are until <see cref="IsDone"/>.</summary>
    internal nint Send(nint data, int bytes, int to, int tag)
    {
        nint request = 0;
        Check("MPI_Isend", _send(data, bytes, Abi.Byte, to, tag, Abi.World, &request));
        return request;
    }

    /// <summary>Begins to receive so many bytes.</summary>
    internal nint Receive(nint data, int bytes, int from, int tag)
    {
        nint request = 0;
        Check("MPI_Irecv", _receive(data, bytes, Abi.Byte, from, tag, Abi.World, &request));
        return request;
    }

    /// <summary>Whether a message is through. Asking is what moves it on.</summary>
    internal bool IsDone(ref nint request)
    {
        var done = 0;
        fixed (nint* address = &request) Check("MPI_Test", _test(address, &done, Abi.StatusIgnore));
        return done != 0;
    }

    internal void Finish() => Check("MPI_Finalize", _finalize());

    /// <summary>Ends all processes. Does not return.</summary>
    internal void Abort(int code) => _abort(Abi.World, code);

    /// <summary>
    /// Keeps UCX, libfabric and Open MPI from writing jumps over the code of munmap and its like when MPI starts: they watch memory so, and who is in such a function on another thread,
    /// as the runtime's compiler was in one start of a hundred, comes back into half a jump and dies. What is set already stays.
    /// </summary>
    private static void LeaveCodeAlone()
    {
        if (!OperatingSystem.IsLinux()) return;
        // .NET's own variables are not those that C code reads.
        foreach (var (name, value) in ((string, string)[])[("UCX_MEM_EVENTS", "no"), ("FI_MR_CACHE_MONITOR", "disabled"), ("OMPI_MCA_memory", "^patcher")]) _ = SetVariable(name, value, overwrite: 0);
    }

    private void Check(string function, int code)
    {
        if (code == 0) return;
        const int most = 1024;                                             // more than MPI_MAX_ERROR_STRING of any library
        var length = 0;
        var text = stackalloc byte[most];
        if (_errorString(code, text, &length) != 0) length = 0;
        throw new AttuneException($"{function} failed with code {code} ({Encoding.UTF8.GetString(text, Math.Clamp(length, 0, most))}): the processes no longer reach each other. Start the run again with --resume-from-checkpoint auto.");
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetVariable(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "dlopen", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint Open(string name, int flags);
}
