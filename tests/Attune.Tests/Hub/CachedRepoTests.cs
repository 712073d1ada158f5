using Attune.Hub;

namespace Attune.Tests.Hub;

public sealed class CachedRepoTests : HubFixture
{
    private CachedRepo Cached => Assert.Single(CachedRepo.All(Cache));

    [Fact]
    public void All_OfACache_AreNamedAsOnTheHub()
    {
        foreach (var folder in new[] { "models--bert-base-uncased", "datasets--nyu-mll--glue", "spaces--org--app", ".locks", "version.txt" })
            Directory.CreateDirectory(Path.Combine(Cache, folder));
        Assert.Equal(["model \"bert-base-uncased\"", "data set \"nyu-mll/glue\""], CachedRepo.All(Cache).Select(repo => repo.ToString()));
        Assert.Empty(CachedRepo.All(Path.Combine(Cache, "none")));
    }

    [Fact]
    public void Revisions_OfADownload_HaveTheirReferencesAndSizes()
    {
        Download();
        var revision = Assert.Single(Cached.Revisions());
        var bytes = Needed.Sum(file => Repository.Files()[file].Length);
        Assert.Equal((Commit, "main", 4, bytes), (revision.Commit, Assert.Single(revision.References), revision.Files, revision.Bytes));
        Assert.Equal(bytes, Cached.BytesOnDisk());
        Assert.InRange(Cached.LastUsed(), DateTime.UtcNow.AddHours(-1), DateTime.UtcNow.AddHours(1));
        Assert.Equal(Commit, Cached.Find(Commit[..7])?.Commit);
        Assert.Equal(Commit, Cached.Find("main")?.Commit);
        Assert.Null(Cached.Find(Commit[..6]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Remove_OneOfTwoRevisions_KeepsWhatTheOtherNeeds(bool mayLink)
    {
        Download(mayLink: mayLink);
        var older = Commit;
        Commit = Repository.Commit(Files(seed: 5));
        Download(mayLink: mayLink);
        Cached.Remove(Cached.Find(older)!);
        AssertWhole(Needed);
        Assert.Equal(Commit, Assert.Single(Cached.Revisions()).Commit);
        Assert.Equal(Needed.Sum(file => Repository.Files()[file].Length), Cached.BytesOnDisk());
        Assert.Empty(Directory.EnumerateFileSystemEntries(Repo, older + "*", SearchOption.AllDirectories));
    }

    [Fact]
    public void Remove_AllOfARepository_LeavesOthersAlone()
    {
        Server.Add("models/org/other").Commit(Files());
        Download();
        Download(name: "org/other");
        CachedRepo.All(Cache)[0].Remove();
        Assert.Equal("org/other", Cached.Name);
        Assert.False(Directory.Exists(Path.Combine(Cache, ".locks", "models--org--model")));
    }

    [Fact]
    public void Remove_WhileItIsDownloaded_IsRefused()
    {
        Download();
        var file = Directory.EnumerateFiles(Path.Combine(Cache, ".locks", "models--org--model")).First();
        using (new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.None))
            Assert.Equal($"The model \"{Model}\" is being downloaded by another process; wait for its end or stop it.", Assert.Throws<AttuneException>(Cached.Remove).Message);
        AssertWhole(Needed);
    }

    [Fact]
    public void Verify_LinksInACircle_AreNamed()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links need a right of their own on Windows.");
        Download();
        File.CreateSymbolicLink(Path.Combine(Snapshot, "a"), "b");
        File.CreateSymbolicLink(Path.Combine(Snapshot, "b"), "a");
        Assert.Equal(4, Assert.Single(Cached.Revisions()).Files);
        Assert.Equal(["a", "b"], Cached.Verify(TestContext.Current.CancellationToken).Wrong.Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Verify_DamageAndMissingContent_AreNamed(bool mayLink)
    {
        Download(mayLink: mayLink);
        var stop = TestContext.Current.CancellationToken;
        Assert.Equal((4, 0), (Cached.Verify(stop).Right, Cached.Verify(stop).Wrong.Count));
        var file = Path.Combine(Snapshot, "tokenizer.json");
        var bytes = File.ReadAllBytes(file);
        bytes[7] ^= 1;
        File.WriteAllBytes(file, bytes);
        var target = mayLink ? Path.Combine("blobs", HubRepository.Hash("tokenizer.json", Repository.Files()["tokenizer.json"])) : Path.Combine("snapshots", Commit, "tokenizer.json");
        Assert.Equal([Path.Combine("models--org--model", target)], Cached.Verify(stop).Wrong);
        if (!mayLink) return;
        File.Delete(Path.Combine(Repo, "blobs", HubRepository.Hash("vocab.txt", Repository.Files()["vocab.txt"])));
        Assert.Contains(Path.Combine("models--org--model", "snapshots", Commit, "vocab.txt"), Cached.Verify(stop).Wrong);
    }
}
