using Attune.Hub;

namespace Attune.Tests.Hub;

/// <summary>Connections that end, servers that lie, processes that end.</summary>
public sealed class BlobDownloadTests : HubFixture
{
    private const int Size = 2_000_000;

    /// <summary>What may have to be fetched again when a connection is cut; the aim is 10 MB.</summary>
    private const int Chunk = 1 << 20;

    public BlobDownloadTests() => Commit = Repository.Commit(Files(Size, seed: 9));

    private string Weights => Path.Combine(Snapshot, "model.safetensors");

    private string Partial => Path.Combine(Repo, "blobs", HubRepository.Hash("model.safetensors", Repository.Files()["model.safetensors"]) + ".attune.incomplete");

    [Fact]
    public void Cut_TwentyTimesAnywhere_GoesOnWhereItStopped()
    {
        var (random, cuts) = (new Random(3), 0);
        Server.Then = (call, reply) => call.IsStorage && cuts++ < 20 ? reply with { CutAfter = random.Next(Math.Min(reply.Body.Length, 200_000)) } : reply;
        Download();
        AssertWhole(Needed);
        Assert.Equal(21, Server.Calls.Count(call => call.IsStorage));
        Assert.True(Server.SentBytes("model.safetensors") <= Size + 20 * Chunk, $"{Server.SentBytes("model.safetensors")} bytes were sent");
    }

    [Fact]
    public void Cut_ByReset_IsRightInTheEnd()
    {
        var cuts = 0;
        Server.Then = (call, reply) => call.IsStorage && cuts++ < 5 ? reply with { CutAfter = reply.Body.Length / 4, IsReset = true } : reply;
        Download();
        AssertWhole(Needed);
    }

    [Fact]
    public void Cut_WithoutProgress_EndsAfterSixTriesAndKeepsWhatCame()
    {
        var tries = 0;
        Server.Then = (call, reply) => call.IsStorage ? reply with { CutAfter = tries++ == 0 ? 500_000 : 0 } : reply;
        Assert.Equal($"The download of model.safetensors of the model \"{Model}\" breaks off again and again; check the network and HF_ENDPOINT " +
            "and give the same command again, which goes on where this one stopped.", Fails());
        Assert.Equal(500_000, new FileInfo(Partial).Length);
        Server.Then = (_, reply) => reply;
        Download();
        AssertWhole(Needed);
        Assert.Equal(500_000, Server.Calls[^1].From);
    }

    [Fact]
    public void Stopped_NextDownload_GoesOnWithThePart()
    {
        using var stop = new CancellationTokenSource();
        Server.Then = (call, reply) => call.IsStorage ? reply with { Pause = TimeSpan.FromMilliseconds(1) } : reply;
        Assert.ThrowsAny<OperationCanceledException>(() => Download(stop: stop, report: now =>
        {
            if (now.File.Path == "model.safetensors" && now.BytesDone > Size / 3) stop.Cancel();
        }));
        var part = new FileInfo(Partial).Length;
        Assert.InRange(part, Size / 4, Size - 1);
        Server.Then = (_, reply) => reply;
        Download();
        AssertWhole(Needed);
        Assert.Equal(part, Server.Calls[^1].From);
    }

    [Fact]
    public void Range_AnsweredByTheWhole_BeginsAnew()
    {
        Repository.IgnoresRanges = true;
        var cuts = 0;
        Server.Then = (call, reply) => call.IsStorage && cuts++ < 2 ? reply with { CutAfter = 700_000 } : reply;
        Download();
        AssertWhole(Needed);
    }

    [Fact]
    public void Range_NeverAnswered_EndsAfterSixStarts()
    {
        Repository.IgnoresRanges = true;
        Server.Then = (call, reply) => call.IsStorage ? reply with { CutAfter = 700_000 } : reply;
        Assert.Contains("breaks off again and again", Fails(), StringComparison.Ordinal);
        Assert.InRange(Server.Calls.Count(call => call.IsStorage), 6, 20);
    }

    [Fact]
    public void Range_WithAnotherBeginning_BeginsAnew()
    {
        var cuts = 0;
        Server.Then = (call, reply) => !call.IsStorage ? reply
            : cuts++ == 0 ? reply with { CutAfter = 300_000 }
            : reply.Status == 206 ? reply with { Headers = new() { ["Content-Range"] = $"bytes 100-{Size - 1}/{Size}" } } : reply;
        Download();
        AssertWhole(Needed);
    }

    [Theory]
    [InlineData("model.safetensors", "SHA-256")]
    [InlineData("vocab.txt", "git hash")]
    public void OneByte_Changed_IsRejectedAndNotLeft(string file, string hash)
    {
        Server.Then = (call, reply) => call.Target.Contains(file, StringComparison.Ordinal) && reply is { Status: 200, Body.Length: > 0 } ? reply with { Body = Flip(reply.Body) } : reply;
        Assert.Matches($"^{file} of the model \"{Model}\" is not what the hub says it is: its {hash} is not [0-9a-f]+; it was deleted\\. Try again;", Fails());
        Assert.False(File.Exists(Path.Combine(Snapshot, file)));
        var blob = HubRepository.Hash(file, Repository.Files()[file]);
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(Repo, "blobs"), blob + "*"));
        Server.Then = (_, reply) => reply;
        Download();
        AssertWhole(Needed);
    }

    [Fact]
    public void Body_LongerThanListed_IsRejected()
    {
        Server.Then = (call, reply) => call.IsStorage && reply.Status == 200 ? reply with { Body = [.. reply.Body, 0] } : reply;
        Assert.Contains("is not what the hub says it is", Fails(), StringComparison.Ordinal);
        Assert.False(File.Exists(Weights));
    }

    [Fact]
    public void Body_ShorterThanListed_IsGoneOnWith()
    {
        Server.Then = (call, reply) => call.IsStorage && reply.Status == 200 ? reply with { Body = reply.Body[..^1] } : reply;
        Download();
        AssertWhole(Needed);
    }

    [Theory]
    [InlineData(1_000_000, true)]
    [InlineData(Size, true)]
    [InlineData(Size + 5, true)]
    [InlineData(1_000_000, false)]
    [InlineData(Size, false)]
    public void PartOfAnEarlierProcess_RightOrWrong_EndsRight(int length, bool isRight)
    {
        var content = Repository.Files()["model.safetensors"];
        Directory.CreateDirectory(Path.GetDirectoryName(Partial)!);
        File.WriteAllBytes(Partial, [.. isRight ? content.AsSpan(0, Math.Min(length, Size)) : new byte[length], .. new byte[Math.Max(0, length - Size)]]);
        Download();
        AssertWhole(Needed);
        if (isRight && length <= Size) Assert.True(Server.SentBytes("model.safetensors") <= Size - length);
    }

    [Fact]
    public void Blob_ThereAlready_IsOnlyLinked()
    {
        var blobs = Directory.CreateDirectory(Path.Combine(Repo, "blobs")).FullName;
        var content = Repository.Files()["model.safetensors"];
        File.WriteAllBytes(Path.Combine(blobs, HubRepository.Hash("model.safetensors", content)), content);
        Download();
        AssertWhole(Needed);
        Assert.DoesNotContain(Server.Calls, call => call.IsStorage);
    }

    [Fact]
    public void AddressOfTheStorage_Expired_IsAskedForAnew()
    {
        var times = 0;
        Server.Then = (call, reply) => call.IsStorage && times++ < 2 ? new HubReply(403) : reply;
        Download();
        AssertWhole(Needed);
        Assert.Equal(3, Server.Calls.Count(call => call.Target.Contains("/resolve/", StringComparison.Ordinal) && call.Target.EndsWith("model.safetensors", StringComparison.Ordinal)));
    }

    [Fact]
    public void Hub_GivesAnotherFileThanItLists_IsSaid()
    {
        Server.Then = (_, reply) => reply.Status == 302 ? reply with { Headers = new(reply.Headers) { ["X-Linked-Etag"] = $"\"{new string('b', 64)}\"" } } : reply;
        Assert.Contains("gives another model.safetensors of the model", Fails(), StringComparison.Ordinal);
    }

    [Fact]
    public void SameFile_EightAtOnce_IsFetchedOnce()
    {
        Server.Then = (call, reply) => call.IsStorage ? reply with { Pause = TimeSpan.FromMilliseconds(2) } : reply;
        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, _ =>
        {
            using var download = new HubDownload(Settings, TimeProvider.System, _ => { }, _ => { });
            download.GetAsync(Model, RepoKind.Model, null, TestContext.Current.CancellationToken).GetAwaiter().GetResult();
        });
        AssertWhole(Needed);
        Assert.Equal(1, Server.Calls.Count(call => call.IsStorage));
    }

    [Fact]
    public void AnotherProcessStandsStill_DownloadsOnItsOwn()
    {
        var content = Repository.Files()["model.safetensors"];
        var locks = Directory.CreateDirectory(Path.Combine(Cache, ".locks", "models--org--model")).FullName;
        using (new FileStream(Path.Combine(locks, HubRepository.Hash("model.safetensors", content) + ".lock"), FileMode.Create, FileAccess.ReadWrite, FileShare.None))
            Download();                                        // with a clock on which every wait is over at once
        AssertWhole(Needed);
        Assert.True(Time.Waits.Count > 100);
    }

    private static byte[] Flip(byte[] body)
    {
        var other = body.ToArray();
        other[other.Length / 2] ^= 1;
        return other;
    }
}
