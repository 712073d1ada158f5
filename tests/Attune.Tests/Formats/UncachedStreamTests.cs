using System.Security.Cryptography;
using Attune.Formats;
using Attune.Tests.Datasets;

namespace Attune.Tests.Formats;

/// <summary>Large files of a checkpoint are written past the system's cache, with the same bytes and sums as others.</summary>
public sealed class UncachedStreamTests : IDisposable
{
    private const int Block = 4 << 20;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(Block - 1)]
    [InlineData(Block)]
    [InlineData(Block + 1)]
    [InlineData(2 * Block + 12345)]
    public void Write_OfAnySize_LeavesTheBytesAndTheirSums(int size)
    {
        var content = new byte[size];
        new Random(size).NextBytes(content);
        var path = Path.Combine(_folder.Path, "file");
        using var sums = new FileSums();
        AtomicFile.Write(path, stream =>
        {
            for (var (at, piece) = (0, 1); at < size; at += piece, piece = piece * 3 % 1_000_003 + 1)
                stream.Write(content.AsSpan(at, Math.Min(piece, size - at)));
        });
        Assert.True(content.AsSpan().SequenceEqual(File.ReadAllBytes(path)));
        Assert.Equal((size, Convert.ToHexStringLower(SHA256.HashData(content))), sums.Find(path));
    }

    [Fact]
    public void Write_ThatFailsInTheMiddle_LeavesTheFormerFile()
    {
        var path = Path.Combine(_folder.Path, "file");
        File.WriteAllText(path, "former");
        using var sums = new FileSums();
        Assert.Throws<AttuneException>(() => AtomicFile.Write(path, stream =>
        {
            stream.Write(new byte[Block + 1]);
            throw new IOException("no");
        }));
        Assert.Equal("former", File.ReadAllText(path));
        Assert.Single(Directory.GetFileSystemEntries(_folder.Path));
    }
}
