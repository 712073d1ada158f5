using System.Security.Cryptography;
using Attune.Formats;

namespace Attune.Cli.Answers;

/// <summary>Writes through to a stream, with the SHA-256 of all that it holds.</summary>
internal sealed class SummedStream(Stream inner) : WriteOnlyStream(inner)
{
    private const int Piece = 1 << 16;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>Of all bytes so far.</summary>
    internal string Sum => Convert.ToHexStringLower(_hash.GetCurrentHash());

    /// <summary>Goes over bytes that are there already.</summary>
    /// <returns>Whether they are there.</returns>
    internal bool Skip(long bytes)
    {
        var buffer = new byte[Piece];
        while (bytes > 0)
        {
            var read = Inner.Read(buffer.AsSpan(0, (int)Math.Min(buffer.Length, bytes)));
            if (read == 0) return false;
            _hash.AppendData(buffer.AsSpan(0, read));
            bytes -= read;
        }
        return true;
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        Inner.Write(buffer);
        _hash.AppendData(buffer);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _hash.Dispose();
        base.Dispose(disposing);
    }
}
