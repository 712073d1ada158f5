using System.Security.Cryptography;

namespace Attune.Cli.Answers;

/// <summary>Writes through to a stream, with the SHA-256 of all that it holds.</summary>
internal sealed class SummedStream(Stream inner) : Stream
{
    private const int Piece = 1 << 16;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => inner.Length;

    public override long Position
    {
        get => inner.Position;
        set => throw new NotSupportedException();
    }

    /// <summary>Of all bytes so far.</summary>
    internal string Sum => Convert.ToHexStringLower(_hash.GetCurrentHash());

    /// <summary>Goes over bytes that are there already.</summary>
    /// <returns>Whether they are there.</returns>
    internal bool Skip(long bytes)
    {
        var buffer = new byte[Piece];
        while (bytes > 0)
        {
            var read = inner.Read(buffer.AsSpan(0, (int)Math.Min(buffer.Length, bytes)));
            if (read == 0) return false;
            _hash.AppendData(buffer.AsSpan(0, read));
            bytes -= read;
        }
        return true;
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        inner.Write(buffer);
        _hash.AppendData(buffer);
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush() => inner.Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) _hash.Dispose();
        base.Dispose(disposing);
    }
}
