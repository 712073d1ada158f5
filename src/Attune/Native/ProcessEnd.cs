using System.Runtime.InteropServices;

namespace Attune.Native;

/// <summary>Ends the process at once, while other threads compute: an orderly exit would unload libtorch under their feet.</summary>
internal static partial class ProcessEnd
{
    /// <summary>Ends it.</summary>
    /// <param name="code">Is answered to who started it.</param>
    internal static void Now(int code)
    {
        if (OperatingSystem.IsWindows()) Environment.Exit(code);
        else Exit(code);
    }

    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void Exit(int code);
}
