using System.Runtime.InteropServices;

namespace Attune.Native;

/// <summary>A thread for work that nobody waits for: it takes what the others leave of the cores.</summary>
/// <remarks>
/// Work that disturbs a training step costs more than its own time, because the other cores wait for the one that is held up. A checkpoint of
/// BERT-base each 50 updates cost 7.9 % of the time at niceness 10 and 5.0 % at 19. On cores that are busy otherwise such a thread takes long.
/// </remarks>
internal static partial class BackgroundThread
{
    private const int OneThread = 0, Calling = 0, Lowest = 19;

    /// <summary>Runs something on such a thread.</summary>
    internal static Task<T> Start<T>(Func<T> run)
    {
        var done = new TaskCompletionSource<T>();
        var thread = new Thread(() =>
        {
            LowerPriority();
            try
            {
                done.SetResult(run());
            }
            catch (Exception e)
            {
                done.SetException(e);
            }
        })
        { IsBackground = true, Priority = ThreadPriority.Lowest };
        thread.Start();
        return done.Task;
    }

    /// <summary>On Linux the runtime's own setting has no effect, but a thread has a niceness of its own.</summary>
    private static void LowerPriority()
    {
        if (OperatingSystem.IsLinux()) _ = SetPriority(OneThread, Calling, Lowest);
    }

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, int who, int priority);
}
