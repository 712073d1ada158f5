using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Attune.Formats;

/// <summary>Writes a new file past the system's cache, where it can be done, in large blocks; the rest at its end in the usual way.</summary>
/// <remarks>
/// For large files that nobody reads soon: the system copies nothing and pushes nothing else out of its cache, which was half of what a
/// checkpoint of BERT-base cost the run that trained on. Only Linux has it (O_DIRECT), and not all of its file systems; elsewhere the blocks
/// are written in the usual way.
/// </remarks>
internal sealed unsafe partial class UncachedStream : Stream
{
    private const int Block = 4 << 20, Alignment = 4096;

    private const int GetFlags = 3, SetFlags = 4, InvalidArgument = 22;    // F_GETFL, F_SETFL, EINVAL

    private readonly SafeFileHandle _file;
    private readonly byte* _block = (byte*)NativeMemory.AlignedAlloc(Block, Alignment);
    private int _filled;
    private long _written;
    private bool _isUncached, _isRefused;

    /// <param name="file">Empty; is not closed.</param>
    internal UncachedStream(FileStream file) => _file = file.SafeFileHandle;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => Position;

    public override long Position
    {
        get => _written + _filled;
        set => throw new NotSupportedException();
    }

    /// <summary>Writes what is left. Must be called at the end.</summary>
    internal void Finish()
    {
        SetUncached(false);                                                // whose length must be a multiple of the disk's blocks
        WriteBlock();
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            var piece = buffer[..Math.Min(Block - _filled, buffer.Length)];
            piece.CopyTo(new Span<byte>(_block + _filled, piece.Length));
            _filled += piece.Length;
            buffer = buffer[piece.Length..];
            if (_filled == Block) WriteWholeBlock();
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) NativeMemory.AlignedFree(_block);
        base.Dispose(disposing);
    }

    private void WriteWholeBlock()
    {
        SetUncached(true);
        try
        {
            WriteBlock();
        }
        catch (IOException e) when (_isUncached && e.HResult == InvalidArgument)
        {
            SetUncached(false);                                            // it was promised and is not held
            _isRefused = true;
            WriteBlock();
        }
    }

    private void WriteBlock()
    {
        RandomAccess.Write(_file, new ReadOnlySpan<byte>(_block, _filled), _written);
        _written += _filled;
        _filled = 0;
    }

    private void SetUncached(bool value)
    {
        if (value == _isUncached || _isRefused || !OperatingSystem.IsLinux()) return;
        var flags = Control(_file, GetFlags, 0);
        var direct = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm ? 0x10000 : 0x4000;
        if (flags >= 0 && Control(_file, SetFlags, value ? flags | direct : flags & ~direct) >= 0) _isUncached = value;
        else _isRefused = true;
    }

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(SafeFileHandle file, int command, int argument);
}
