using System.Buffers;
using System.Collections;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;
using Attune.Formats;

namespace Attune.Datasets;

/// <summary>Texts that would fill the memory, in a file without a name: gone with the process, and decoded whenever they are asked for.</summary>
/// <remarks>Texts are added by one thread first, then <see cref="Seal"/>, then read by any number.</remarks>
internal sealed class StoredTexts : IReadOnlyList<string?>
{
    private const int WindowBytes = 1 << 16, BufferBytes = 1 << 20, Windows = 4;
    private const long Utf8Kind = 0, Utf16Kind = 1, NullKind = 2;

    [ThreadStatic]
    private static Window[]? _windows;
    private static int _made;

    private readonly FileStream _file = Create(CacheFolder.OfUser(Environment.GetEnvironmentVariable));
    private readonly List<long> _ends = [];                                 // of each text the end, and in the two lowest bits its kind
    private readonly int _window = Interlocked.Increment(ref _made) & (Windows - 1);
    private byte[] _buffer = new byte[BufferBytes];
    private int _buffered;
    private long _written;

    /// <inheritdoc/>
    public int Count => _ends.Count;

    /// <inheritdoc/>
    public string? this[int index]
    {
        get
        {
            var (end, kind) = (_ends[index] >> 2, _ends[index] & 3);
            if (kind == NullKind) return null;
            var start = index == 0 ? 0 : _ends[index - 1] >> 2;
            if (start == end) return "";
            var length = checked((int)(end - start));
            if (length <= WindowBytes) return Decoded(OwnWindow.Take(this, start, length), kind);
            var large = ArrayPool<byte>.Shared.Rent(length);
            ReadFully(_file, large.AsSpan(0, length), start);
            var text = Decoded(large.AsSpan(0, length), kind);
            ArrayPool<byte>.Shared.Return(large);
            return text;
        }
    }

    /// <summary>Appends a text.</summary>
    /// <exception cref="AttuneException">The disk is full.</exception>
    internal void Add(string? text)
    {
        var kind = NullKind;
        if (text is not null)
        {
            Reserve(3 * text.Length);
            kind = Utf8Kind;
            if (Utf8.FromUtf16(text, _buffer.AsSpan(_buffered), out _, out var bytes, replaceInvalidSequences: false) != OperationStatus.Done)
            {
                // Half of a surrogate pair: UTF-8 has nothing for it.
                (kind, bytes) = (Utf16Kind, 2 * text.Length);
                MemoryMarshal.AsBytes(text.AsSpan()).CopyTo(_buffer.AsSpan(_buffered));
            }
            _buffered += bytes;
        }
        _ends.Add((_written + _buffered) << 2 | kind);
    }

    /// <summary>Ends the adding.</summary>
    internal void Seal()
    {
        Flush();
        _buffer = [];
    }

    /// <inheritdoc/>
    public IEnumerator<string?> GetEnumerator()
    {
        for (var i = 0; i < Count; i++) yield return this[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    // Of this thread; the columns of a pair are read in turns.
    private Window OwnWindow => (_windows ??= [.. Enumerable.Range(0, Windows).Select(_ => new Window())])[_window];

    private static string Decoded(ReadOnlySpan<byte> bytes, long kind) =>
        kind == Utf8Kind ? Encoding.UTF8.GetString(bytes) : new string(MemoryMarshal.Cast<byte, char>(bytes));

    private void Reserve(int bytes)
    {
        if (_buffered + bytes <= _buffer.Length) return;
        Flush();
        if (bytes > _buffer.Length) _buffer = new byte[bytes];
    }

    private void Flush()
    {
        try
        {
            RandomAccess.Write(_file.SafeFileHandle, _buffer.AsSpan(0, _buffered), _written);
        }
        catch (IOException e)
        {
            throw Full(e);
        }
        (_written, _buffered) = (_written + _buffered, 0);
    }

    private static void ReadFully(FileStream file, Span<byte> bytes, long at)
    {
        for (var done = 0; done < bytes.Length;)
        {
            var read = RandomAccess.Read(file.SafeFileHandle, bytes[done..], at + done);
            if (read == 0) throw new EndOfStreamException();
            done += read;
        }
    }

    /// <summary>Makes the file beside the cache, which is on a disk where the folder for temporary files may be in memory; there only where it must be.</summary>
    internal static FileStream Create(CacheFolder? cache)
    {
        foreach (var folder in new[] { cache?.Path, Path.GetTempPath() }.OfType<string>())
        {
            var path = Path.Combine(folder, $".texts.{Guid.NewGuid():N}.tmp");
            try
            {
                if (folder == cache?.Path) cache.Create();
                var options = new FileStreamOptions
                {
                    Mode = FileMode.CreateNew,
                    Access = FileAccess.ReadWrite,
                    Share = FileShare.Delete,
                    BufferSize = 0,
                    Options = FileOptions.DeleteOnClose,
                };
                if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
                var file = new FileStream(path, options);
                if (!OperatingSystem.IsWindows()) File.Delete(path);       // there the open file lives on; Windows deletes it with its handle
                return file;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException && folder == cache?.Path)
            {
                // The other place, then.
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw Full(e);
            }
        }
        throw new InvalidOperationException("There is no folder for temporary files.");
    }

    private static AttuneException Full(Exception e) => new(
        $"The texts of a large file cannot be kept on disk while they are in use: {e.Message.TrimEnd('.')}; make room there, or name another folder by ATTUNE_CACHE.", e);

    /// <summary>The bytes that a thread read last: texts are mostly read in their order, many at a time.</summary>
    private sealed class Window
    {
        private readonly byte[] _bytes = new byte[WindowBytes];
        private readonly WeakReference<StoredTexts?> _owner = new(null);
        private long _start, _end, _next;

        internal ReadOnlySpan<byte> Take(StoredTexts owner, long at, int length)
        {
            var isOwn = _owner.TryGetTarget(out var former) && former == owner;
            if (!isOwn)
            {
                _owner.SetTarget(owner);
                (_end, _next) = (-1, -1);
            }
            if (at < _start || at + length > _end)
            {
                // Only what goes on where the last text ended is worth reading ahead.
                var wanted = at == _next ? (int)Math.Min(WindowBytes, owner._written - at) : length;
                ReadFully(owner._file, _bytes.AsSpan(0, wanted), at);
                (_start, _end) = (at, at + wanted);
            }
            _next = at + length;
            return _bytes.AsSpan((int)(at - _start), length);
        }
    }
}
