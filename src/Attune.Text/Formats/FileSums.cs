using System.Security.Cryptography;

namespace Attune.Formats;

/// <summary>Size and SHA-256 of each file that <see cref="AtomicFile"/> writes on this thread while this is open, taken of the bytes as they are written.</summary>
internal sealed class FileSums : IDisposable
{
    [ThreadStatic]
    private static FileSums? _current;

    private readonly FileSums? _outer = _current;
    private readonly Dictionary<string, (long Size, string Sha256)> _files = [];

    internal FileSums() => _current = this;

    /// <summary>Those of a file; null where it was written in another way.</summary>
    internal (long Size, string Sha256)? Find(string path) => _files.TryGetValue(Path.GetFullPath(path), out var sums) ? sums : null;

    /// <summary>Lets a file be written to a stream, and notes its sums where somebody wants them.</summary>
    internal static void Write(string path, FileStream stream, Action<Stream> write)
    {
        if (_current is not { } sums)
        {
            write(stream);
            return;
        }
        using var uncached = new UncachedStream(stream);
        using var hashing = new HashingStream(uncached);
        write(hashing);
        uncached.Finish();
        sums._files[Path.GetFullPath(path)] = (uncached.Position, hashing.Sha256());
    }

    /// <summary>SHA-256 of a file that is there, read once from end to end.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    internal static byte[] HashOf(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0, FileOptions.SequentialScan);
        return SHA256.HashData(stream);
    }

    public void Dispose() => _current = _outer;

    /// <summary>Writes through, from the first byte to the last.</summary>
    private sealed class HashingStream(Stream inner) : WriteOnlyStream(inner)
    {
        private const int Piece = 1 << 18;                                  // still in the processor's cache when it is written

        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        internal string Sha256() => Convert.ToHexStringLower(_hash.GetHashAndReset());

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            while (buffer.Length > 0)
            {
                var piece = buffer[..Math.Min(Piece, buffer.Length)];
                _hash.AppendData(piece);
                Inner.Write(piece);
                buffer = buffer[piece.Length..];
            }
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing) _hash.Dispose();
            base.Dispose(disposing);
        }
    }
}
