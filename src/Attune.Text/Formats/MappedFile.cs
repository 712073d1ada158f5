using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;

namespace Attune.Formats;

/// <summary>The bytes of a file, mapped into memory for reading; or of an array, where there is no file.</summary>
internal sealed unsafe class MappedFile : IDisposable
{
    private readonly MemoryMappedFile? _file;
    private readonly MemoryMappedViewAccessor? _view;
    private readonly GCHandle _pinned;
    private byte* _start;

    private MappedFile(string path, MemoryMappedFile? file, long length)
    {
        (Path, Length, _file) = (path, length, file);
        if (file is null) return;
        _view = file.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
        _start += _view.PointerOffset;
    }

    private MappedFile(string path, byte[] bytes)
    {
        (Path, Length) = (path, bytes.Length);
        _pinned = GCHandle.Alloc(bytes, GCHandleType.Pinned);
        _start = (byte*)_pinned.AddrOfPinnedObject();
    }

    /// <summary>Where the bytes come from, for messages.</summary>
    internal string Path { get; }

    /// <summary>Number of bytes.</summary>
    internal long Length { get; }

    /// <summary>Maps a file.</summary>
    /// <exception cref="AttuneException">It does not exist or cannot be read.</exception>
    internal static MappedFile Open(string path)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
            // An empty file cannot be mapped; it has no bytes to show either.
            if (stream.Length == 0) return new MappedFile(path, file: null, 0);
            var file = MemoryMappedFile.CreateFromFile(
                stream, mapName: null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
            return new MappedFile(path, file, stream.Length);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new AttuneException($"{path} does not exist; check the name of the folder.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AttuneException($"{path} cannot be read: {e.Message.TrimEnd('.')}; check its permissions and the disk.", e);
        }
    }

    /// <summary>Shows the bytes of an array as those of a file.</summary>
    internal static MappedFile Of(string path, byte[] bytes) => new(path, bytes);

    /// <summary>The bytes from an offset on. Valid until the file is disposed.</summary>
    internal ReadOnlySpan<byte> Slice(long offset, int count) => Values<byte>(offset, count);

    /// <summary>Values from an offset on, as they lie there. Valid until the file is disposed.</summary>
    internal ReadOnlySpan<T> Values<T>(long offset, int count) where T : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - (long)count * sizeof(T));
        ObjectDisposedException.ThrowIf(_start is null && Length > 0, this);
        return new ReadOnlySpan<T>(_start + offset, count);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_view is not null && _start is not null) _view.SafeMemoryMappedViewHandle.ReleasePointer();
        if (_pinned.IsAllocated) _pinned.Free();
        _start = null;
        _view?.Dispose();
        _file?.Dispose();
    }
}
