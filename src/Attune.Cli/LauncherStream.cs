using Microsoft.Win32.SafeHandles;

namespace Attune.Cli;

/// <summary>
/// Standard output or error of a process that a launcher has started, without .NET's Console: mpirun gives the first process a terminal whose text goes to a
/// file or a pipe, and the Console would write its control codes there. When mpirun ends a job it no longer reads what its processes write: that is
/// no reason for them not to write their checkpoint.
/// </summary>
/// <param name="descriptor">1 or 2.</param>
internal sealed class LauncherStream(int descriptor) : Stream
{
    private readonly FileStream _file = new(new SafeFileHandle(descriptor, ownsHandle: false), FileAccess.Write, bufferSize: 0);

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        try
        {
            _file.Write(buffer);
        }
        catch (IOException)
        {
            // Nobody reads any more.
        }
    }

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
