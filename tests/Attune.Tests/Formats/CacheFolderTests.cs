using System.Security.Cryptography;
using Attune.Formats;
using Attune.Tests.Datasets;
using CsCheck;

namespace Attune.Tests.Formats;

public sealed class CacheFolderTests : IDisposable
{
    private static readonly byte[] Key = SHA256.HashData("one"u8);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private CacheFolder Cache(long most = 1 << 20) => new(Path.Combine(_folder.Path, "cache"), most);

    private string[] Files() => Directory.GetFiles(Path.Combine(_folder.Path, "cache"));

    private static bool Put(CacheFolder cache, byte[] key, byte[] content) => cache.Write(key, write =>
    {
        write(content.AsSpan(0, content.Length / 2));
        write(content.AsSpan(content.Length / 2));
    });

    private static byte[]? Get(CacheFolder cache, byte[] key)
    {
        using var file = cache.Open(key);
        return file?.Slice(CacheFolder.HeaderBytes, (int)file.Length - CacheFolder.HeaderBytes).ToArray();
    }

    [Fact]
    public void Open_AnyContent_IsWhatWasWritten() => Gen.Byte.Array[0, 3000].Sample(content =>
    {
        var key = SHA256.HashData(content);                                 // samples run at the same time
        Assert.True(Put(Cache(), key, content));
        Assert.Equal(content, Get(Cache(), key));
    }, iter: 50);

    [Fact]
    public void Open_AnotherKey_IsNull()
    {
        Put(Cache(), Key, [1, 2, 3]);
        var other = SHA256.HashData("other"u8);
        Assert.Null(Cache().Open(other));
        File.Move(Files()[0], Path.Combine(_folder.Path, "cache", Convert.ToHexStringLower(other) + ".cache"));
        Assert.Null(Cache().Open(other));                                   // the file says itself whose it is
    }

    [Fact]
    public void Open_AnyByteChangedOrMissing_IsNullAndIsWrittenAnew()
    {
        byte[] content = [.. Enumerable.Range(0, 100).Select(i => (byte)i)];
        Put(Cache(), Key, content);
        var file = Files()[0];
        var whole = File.ReadAllBytes(file);
        for (var i = 0; i < whole.Length; i++)
        {
            var damaged = whole.ToArray();
            damaged[i] ^= 0x40;
            File.WriteAllBytes(file, damaged);
            Assert.Null(Cache().Open(Key));
            File.WriteAllBytes(file, whole[..i]);
            Assert.Null(Cache().Open(Key));
        }
        File.WriteAllBytes(file, [.. whole, 0]);
        Assert.Null(Cache().Open(Key));
        Assert.True(Put(Cache(), Key, content));
        Assert.Equal(content, Get(Cache(), Key));
    }

    [Fact]
    public void Write_MoreThanTheLimit_RemovesWhatWasUsedLongestAgo()
    {
        var keys = Enumerable.Range(0, 5).Select(i => SHA256.HashData([(byte)i])).ToArray();
        var hour = 0;
        void Age(byte[] key) => File.SetLastWriteTimeUtc(Path.Combine(_folder.Path, "cache", Convert.ToHexStringLower(key) + ".cache"), new DateTime(2020, 1, 1, hour++, 0, 0, DateTimeKind.Utc));
        foreach (var key in keys[..3])
        {
            Put(Cache(4000), key, new byte[1000]);
            Age(key);
        }
        Assert.NotNull(Get(Cache(), keys[0]));                              // used again: now the newest
        Put(Cache(4000), keys[3], new byte[1000]);
        Assert.Equal([true, false, true, true], keys[..4].Select(key => Get(Cache(), key) is not null));
        Assert.False(Put(Cache(4000), keys[4], new byte[5000]));            // larger than all that may be there
        Assert.Equal(3, Files().Length);
    }

    [Fact]
    public void Write_LeftOverOfADeadProcess_IsRemovedAfterADay()
    {
        Put(Cache(), Key, [1]);
        var dead = _folder.Write($"cache/x.cache.{Guid.NewGuid():N}.tmp", "half");
        Put(Cache(), Key, [1]);
        Assert.True(File.Exists(dead));
        File.SetLastWriteTimeUtc(dead, new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        Put(Cache(), Key, [1]);
        Assert.False(File.Exists(dead));
    }

    [Fact]
    public void Write_ImpossibleFolder_IsFalse()
    {
        var file = _folder.Write("file", "");
        Assert.False(Put(new CacheFolder(Path.Combine(file, "cache")), Key, [1]));
        Assert.Null(new CacheFolder(Path.Combine(file, "cache")).Open(Key));
        if (File.Exists("/dev/full")) Assert.False(Put(new CacheFolder("/proc/attune"), Key, [1]));
    }

    [Fact]
    public async Task Write_ManyAtOnce_EveryReaderSeesAWholeFile()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var contents = Enumerable.Range(0, 4).Select(i => Enumerable.Repeat((byte)i, 50_000).ToArray()).ToArray();
        Put(Cache(), Key, contents[0]);
        await Task.WhenAll(contents.Select(own => Task.Run(() =>
        {
            for (var turn = 0; turn < 40; turn++)
            {
                Assert.True(Put(Cache(), Key, own) || OperatingSystem.IsWindows());
                if (Get(Cache(), Key) is { } seen) Assert.Contains(contents, content => seen.AsSpan().SequenceEqual(content));
                else Assert.True(OperatingSystem.IsWindows());
            }
        }, cancellation)));
        Assert.Single(Files());
    }

    [Theory]
    [InlineData("/own", "/xdg", "/own")]
    [InlineData(null, "/xdg", "/xdg/attune")]
    [InlineData("", "relative", null)]
    public void OfUser_Variables_ChooseTheFolder(string? own, string xdg, string? expected)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the folder of Windows is another");
        var folder = CacheFolder.OfUser(name => name == "ATTUNE_CACHE" ? own : name == "XDG_CACHE_HOME" ? xdg : null);
        Assert.Equal(expected ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache", "attune"), folder!.Path);
    }
}
