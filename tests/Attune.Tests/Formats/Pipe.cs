using System.Diagnostics;

namespace Attune.Tests.Formats;

/// <summary>A named pipe, which is no file to be replaced.</summary>
internal static class Pipe
{
    /// <summary>Makes one; skips the test where there is no mkfifo.</summary>
    internal static void Make(string path)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Pipes are made by mkfifo.");
        using var process = Process.Start("mkfifo", [path]);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }
}
