using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Attune.Native;

/// <summary>The file of a native library, looked at and not loaded.</summary>
internal static class NativeFile
{
    private const int HeaderBytes = 20, MachineAt = 18, X64 = 62, Arm64 = 183;       // of ELF: e_machine, EM_X86_64, EM_AARCH64

    /// <summary>Why a file cannot be loaded on this Linux, in words that go on after its name; null where nothing is seen against it.</summary>
    internal static string? WhyUnfit(string path)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        using (var file = File.OpenRead(path))
            if (file.ReadAtLeast(header, HeaderBytes, throwOnEndOfStream: false) < HeaderBytes || !header.StartsWith("\u007fELF"u8)) return "is no library of Linux, or damaged";
        var machine = BinaryPrimitives.ReadUInt16LittleEndian(header[MachineAt..]);
        var own = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? Arm64 : X64;
        return machine == own ? null : $"is for {Name(machine)}, and this program for {Name(own)}";
    }

    /// <summary>The file that a path leads to, through links.</summary>
    internal static string Target(string path) => File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;

    private static string Name(int machine) => machine switch { X64 => "x86-64", Arm64 => "aarch64", _ => $"another processor (ELF machine {machine})" };
}
