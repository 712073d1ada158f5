using System.Runtime.InteropServices;

namespace Attune.Native;

/// <summary>How libtorch's worker threads wait for the next piece of work: asleep, not spinning.</summary>
/// <remarks>
/// A spinning thread takes the core from whoever else needs it, the threads of the loops here first of all. Measured with the machine's two
/// cores busy otherwise, a small model's step took a hundred times as long with spinning threads. A setting of the user's own wins.
/// </remarks>
internal static partial class WaitPolicy
{
    /// <summary>Must run before libtorch is loaded: its thread library reads the environment once.</summary>
    internal static void Sleep()
    {
        if (OperatingSystem.IsWindows()) return;
        // The runtime's own SetEnvironmentVariable does not reach native libraries.
        _ = SetVariable("OMP_WAIT_POLICY", "PASSIVE", overwrite: 0);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetVariable(string name, string value, int overwrite);
}
