using Attune.Formats;
using Microsoft.Win32.SafeHandles;

namespace Attune.Cli;

/// <summary>
/// Standard output or error of a process that a launcher has started, without .NET's Console: mpirun gives the first process a terminal whose text goes to a
/// file or a pipe, and the Console would write its control codes there. When mpirun ends a job it no longer reads what its processes write: that is
/// no reason for them not to write their checkpoint.
/// </summary>
/// <param name="descriptor">1 or 2.</param>
internal sealed class LauncherStream(int descriptor) : WriteOnlyStream(new FileStream(new SafeFileHandle(descriptor, ownsHandle: false), FileAccess.Write, bufferSize: 0))
{
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        try
        {
            Inner.Write(buffer);
        }
        catch (IOException)
        {
            // Nobody reads any more.
        }
    }

    public override void Flush()
    {
    }
}
