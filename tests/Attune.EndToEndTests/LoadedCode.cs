using System.Globalization;
using System.Runtime.InteropServices;

namespace Attune.EndToEndTests;

/// <summary>The machine code of the C library as it stands in the memory of a process.</summary>
internal static class LoadedCode
{
    private const int Bytes = 32;

    /// <summary>The first bytes of a function.</summary>
    internal static byte[] Of(int process, string function)
    {
        var library = NativeLibrary.Load("libc.so.6");
        var offset = NativeLibrary.GetExport(library, function) - Base(Environment.ProcessId);
        using var memory = new FileStream($"/proc/{process}/mem", FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        memory.Position = Base(process) + offset;
        var code = new byte[Bytes];
        memory.ReadExactly(code);
        return code;
    }

    private static nint Base(int process)
    {
        var first = File.ReadLines($"/proc/{process}/maps").First(line => line.EndsWith("/libc.so.6", StringComparison.Ordinal));
        return nint.Parse(first.AsSpan(0, first.IndexOf('-', StringComparison.Ordinal)), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }
}
