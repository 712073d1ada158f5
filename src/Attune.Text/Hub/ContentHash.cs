using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Attune.Hub;

/// <summary>Checks content against the hash that the hub names, while it comes: the SHA-256 of a large file, or git's SHA-1 of a small one.</summary>
internal sealed class ContentHash : IDisposable
{
    private const int GitLetters = 40, Sha256Letters = 64;
    private readonly IncrementalHash _hash;
    private readonly string _expected;

    /// <param name="expected">40 or 64 hexadecimal digits.</param>
    /// <param name="size">Bytes of the whole content, which git hashes before it.</param>
    internal ContentHash(string expected, long size)
    {
        _expected = expected;
        if (expected.Length == Sha256Letters)
        {
            _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            return;
        }
        _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
        _hash.AppendData(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"blob {size}\0")));
    }

    /// <summary>Whether a text is a hash that content can be checked against.</summary>
    internal static bool IsKnown(string text) => text.Length is GitLetters or Sha256Letters && text.All(char.IsAsciiHexDigitLower);

    /// <summary>Whether a text is the full name of a commit.</summary>
    internal static bool IsCommit(string text) => text.Length == GitLetters && text.All(char.IsAsciiHexDigitLower);

    /// <summary>The next bytes.</summary>
    internal void Append(ReadOnlySpan<byte> bytes) => _hash.AppendData(bytes);

    /// <summary>The bytes of a stream from where it stands to its end.</summary>
    /// <returns>How many there were.</returns>
    internal long Append(Stream stream)
    {
        var block = new byte[1 << 20];
        var done = 0L;
        int count;
        while ((count = stream.Read(block)) > 0)
        {
            Append(block.AsSpan(0, count));
            done += count;
        }
        return done;
    }

    /// <summary>Whether all that was appended is the content. Ends the hash.</summary>
    internal bool Matches() => Convert.ToHexStringLower(_hash.GetHashAndReset()) == _expected;

    /// <summary>The hash of a whole stream.</summary>
    internal static string Of(Stream stream, bool isGit)
    {
        using var hash = new ContentHash(new string('0', isGit ? GitLetters : Sha256Letters), stream.Length);
        hash.Append(stream);
        return Convert.ToHexStringLower(hash._hash.GetHashAndReset());
    }

    /// <summary>Whether a file has the content of a hash.</summary>
    internal static bool Matches(string file, string expected)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 0);
        using var hash = new ContentHash(expected, stream.Length);
        hash.Append(stream);
        return hash.Matches();
    }

    public void Dispose() => _hash.Dispose();
}
