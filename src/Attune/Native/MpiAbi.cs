using System.Runtime.InteropServices;

namespace Attune.Native;

/// <summary>
/// What differs between the binary interfaces of MPI: the values behind the names of mpi.h that are used here. Handles are pointers in Open MPI and in
/// MPI's own standard interface and ints in the MPICH family; passed by value in a register, a pointer with the same bits serves both.
/// </summary>
/// <param name="Name">Which interface it is.</param>
/// <param name="World">MPI_COMM_WORLD.</param>
/// <param name="Byte">MPI_BYTE.</param>
/// <param name="ErrorsReturn">MPI_ERRORS_RETURN.</param>
/// <param name="StatusIgnore">MPI_STATUS_IGNORE.</param>
/// <param name="Serialized">MPI_THREAD_SERIALIZED.</param>
internal sealed record MpiAbi(string Name, nint World, nint Byte, nint ErrorsReturn, nint StatusIgnore, int Serialized)
{
    /// <summary>MPICH 3 and 4, Intel MPI, MVAPICH: mpi.h of MPICH 4.0.</summary>
    internal static MpiAbi Mpich { get; } = new("MPICH", 0x44000000, 0x4c00010d, 0x54000001, 1, Serialized: 2);

    /// <summary>The interface of MPI 5.0, section 20.</summary>
    internal static MpiAbi Standard { get; } = new("MPI-5", 0x101, 0x247, 0x143, 0, Serialized: 2048);

    /// <summary>Finds out which one a library has. Nothing of it needs MPI to be started.</summary>
    /// <param name="library">The library.</param>
    /// <returns>Null where it is none that is known.</returns>
    internal static unsafe MpiAbi? Of(nint library)
    {
        if (NativeLibrary.TryGetExport(library, "MPI_Abi_get_version", out var address))
        {
            int major, minor;
            // A library that has the function and not the interface answers -1.
            if (((delegate* unmanaged[Cdecl]<int*, int*, int>)address)(&major, &minor) == 0 && major >= 1) return Standard;
        }
        if (NativeLibrary.TryGetExport(library, "ompi_mpi_comm_world", out var world)) return new MpiAbi("Open MPI", world,
            NativeLibrary.GetExport(library, "ompi_mpi_byte"), NativeLibrary.GetExport(library, "ompi_mpi_errors_return"), 0, Serialized: 2);
        return NativeLibrary.TryGetExport(library, "MPIR_Err_return_comm", out _) || VersionOf(library)?.Contains("MPICH", StringComparison.Ordinal) == true
            || VersionOf(library)?.Contains("Intel", StringComparison.Ordinal) == true || VersionOf(library)?.Contains("MVAPICH", StringComparison.Ordinal) == true ? Mpich : null;
    }

    /// <summary>The first line in which a library describes itself; null where it does not.</summary>
    internal static unsafe string? VersionOf(nint library)
    {
        const int most = 8192;                                             // MPI_MAX_LIBRARY_VERSION_STRING of MPICH, the longest
        if (!NativeLibrary.TryGetExport(library, "MPI_Get_library_version", out var address)) return null;
        var length = 0;
        var text = stackalloc byte[most];
        if (((delegate* unmanaged[Cdecl]<byte*, int*, int>)address)(text, &length) != 0) return null;
        return System.Text.Encoding.UTF8.GetString(text, Math.Clamp(length, 0, most)).Split('\n', '\0')[0].Trim();
    }
}
