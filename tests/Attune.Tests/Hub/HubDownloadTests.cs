using Attune.Hub;

namespace Attune.Tests.Hub;

public sealed class HubDownloadTests : HubFixture
{
    [Fact]
    public void Model_New_HasWhatIsNeededInTheLayoutOfPython()
    {
        Assert.Equal(new ResolvedName(Snapshot, null, Commit), Download());
        AssertWhole(Needed);
        Assert.Equal(Commit, File.ReadAllText(Path.Combine(Repo, "refs", "main")));
        Assert.StartsWith("Signature: 8a477f597d28d172789f06886806bc55", File.ReadAllText(Path.Combine(Cache, "CACHEDIR.TAG")), StringComparison.Ordinal);
        Assert.Equal(Needed.Select(file => HubRepository.Hash(file, Repository.Files()[file])).Order(StringComparer.Ordinal),
            Directory.EnumerateFiles(Path.Combine(Repo, "blobs")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.True(File.Exists(Path.Combine(Repo, "trees", Commit + ".json")));
        Assert.True(File.Exists(Path.Combine(Repo, ".no_exist", Commit, "added_tokens.json")));
        Assert.False(File.Exists(Path.Combine(Repo, ".no_exist", Commit, "vocab.txt")));
        if (!OperatingSystem.IsWindows())
            Assert.Equal($"../../blobs/{HubRepository.Hash("vocab.txt", Repository.Files()["vocab.txt"])}", new FileInfo(Path.Combine(Snapshot, "vocab.txt")).LinkTarget);
    }

    [Fact]
    public void Model_Again_AsksOnceAndFetchesNothing()
    {
        Download();
        var before = Server.Calls.Count;
        Assert.Equal(Commit, Download().Commit);
        Assert.Equal("HEAD", Assert.Single(Server.Calls.Skip(before)).Method);
    }

    [Fact]
    public void Model_ByItsCommit_IsNotAskedForAgain()
    {
        Download(revision: Commit);
        var before = Server.Calls.Count;
        Assert.Equal(new ResolvedName(Snapshot, null, Commit), Download(revision: Commit));
        Assert.Equal(before, Server.Calls.Count);
        Assert.False(Directory.Exists(Path.Combine(Repo, "refs")));
    }

    [Theory]
    [InlineData("model.safetensors|pytorch_model.bin|tf_model.h5", "model.safetensors")]
    [InlineData("model.safetensors.index.json|model-00001-of-00002.safetensors|model-00002-of-00002.safetensors|pytorch_model.bin",
        "model-00001-of-00002.safetensors|model-00002-of-00002.safetensors|model.safetensors.index.json")]
    [InlineData("pytorch_model.bin|rust_model.ot|tf_model.h5", "pytorch_model.bin")]
    [InlineData("pytorch_model.bin.index.json|pytorch_model-00001-of-00002.bin|pytorch_model-00002-of-00002.bin|training_args.bin",
        "pytorch_model-00001-of-00002.bin|pytorch_model-00002-of-00002.bin|pytorch_model.bin.index.json")]
    [InlineData("tf_model.h5|sub/model.safetensors", "")]
    public void Model_Weights_AreOfOneFormOnly(string there, string fetched)
    {
        Commit = Repository.Commit(there.Split('|').Append("config.json").Select((file, i) => (file, Bytes(100, i))));
        Download();
        AssertWhole([.. fetched.Split('|', StringSplitOptions.RemoveEmptyEntries).Append("config.json").Order(StringComparer.Ordinal)]);
    }

    [Fact]
    public void Branch_Moves_SnapshotIsThatOfTheNewCommit()
    {
        var older = Download();
        Commit = Repository.Commit(Files(seed: 5));
        var newer = Download();
        Assert.Equal((Commit, true), (newer.Commit, older.Path != newer.Path));
        Assert.Equal(Commit, File.ReadAllText(Path.Combine(Repo, "refs", "main")));
        AssertWhole(Needed);
        Assert.True(Directory.Exists(older.Path));
        Assert.Equal(6, Directory.EnumerateFiles(Path.Combine(Repo, "blobs")).Count());         // what is the same is there once
    }

    [Fact]
    public void Revision_WithSlashes_IsABranch()
    {
        Commit = Repository.Commit(Files(seed: 8), "refs/pr/1");
        Assert.Equal(Commit, Download(revision: "refs/pr/1").Commit);
        Assert.Equal(Commit, File.ReadAllText(Path.Combine(Repo, "refs", "refs", "pr", "1")));
    }

    [Fact]
    public void Offline_FullCache_AsksNothing()
    {
        Download();
        var before = Server.Calls.Count;
        Assert.Equal(new ResolvedName(Snapshot, null, Commit), Download(Settings with { IsOffline = true }));
        Assert.Equal(before, Server.Calls.Count);
    }

    [Fact]
    public void Offline_EmptyCache_SaysSoWithoutAsking()
    {
        Assert.Equal($"The model \"{Model}\" is neither a folder here nor in the cache {Cache} (looked for models--org--model); unset HF_HUB_OFFLINE (or its like) " +
            "to download it, or give the path of a folder that holds it.", Fails(Settings with { IsOffline = true }));
        Assert.Empty(Server.Calls);
    }

    [Fact]
    public void Unreachable_FullCache_ServesWithANotice()
    {
        Download();
        var endpoint = Closed();
        Assert.Equal(new ResolvedName(Snapshot, null, Commit), Download(Settings with { Endpoint = endpoint }));
        Assert.Matches($"^{endpoint.AbsoluteUri.TrimEnd('/')} cannot be reached \\(.*\\); the cache has the model \"{Model}\" at the commit {Commit}, which is taken\\.$", Assert.Single(Told));
        Assert.Empty(Time.Waits);
    }

    [Fact]
    public void Unreachable_EmptyCache_IsOneSentence()
    {
        var endpoint = Closed();
        Assert.Matches($"^{endpoint.AbsoluteUri.TrimEnd('/')} cannot be reached \\(.*\\); check the network and HF_ENDPOINT and give the same command again", Fails(Settings with { Endpoint = endpoint }));
        Assert.Equal(5, Time.Waits.Count);
    }

    [Fact]
    public void Silent_FullCache_ServesWithANotice()
    {
        Download();
        Server.Instead = _ =>
        {
            Thread.Sleep(400);
            return null;
        };
        Assert.Equal(Commit, Download(Settings with { MetadataTimeout = TimeSpan.FromMilliseconds(50) }).Commit);
        Assert.Contains("does not answer within 0.1 seconds; the cache has", Assert.Single(Told), StringComparison.Ordinal);
    }

    [Fact]
    public void Refused_FullCache_DoesNotServe()
    {
        Download();
        Repository.IsPrivate = true;
        Assert.Equal($"There is no model \"{Model}\" on {Settings.Address}, or it is private; check its spelling, or log in by attune login.", Fails());
        Assert.Equal($"There is no model \"{Model}\" on {Settings.Address}, or it is private; check its spelling, or log in by attune login.", Fails(Settings with { Token = Server.Token, SendsToken = false }));
        Assert.Equal(Commit, Download(Settings with { Token = Server.Token }).Commit);
    }

    [Fact]
    public void Gated_WithoutToken_NamesThePage()
    {
        Repository.IsGated = true;
        Assert.Equal($"The model \"{Model}\" is gated: ask for access at {Settings.Address}/{Model}, then log in by attune login.", Fails());
    }

    [Fact]
    public void Gated_TokenWithoutAccess_NamesThePageAndTheToken()
    {
        Repository.IsGated = true;
        Assert.Equal($"The model \"{Model}\" is gated, and the account of your token (HF_TOKEN) has no access to it: ask for it at {Settings.Address}/{Model}.",
            Fails(Settings with { Token = Server.Token, TokenSource = "HF_TOKEN" }));
    }

    [Fact]
    public void Token_Refused_IsSaidWithoutShowingIt()
    {
        var message = Fails(Settings with { Token = "hf_old", TokenSource = "HF_TOKEN" });
        Assert.Equal($"{Settings.Address} does not take the token of HF_TOKEN; make a new one at {Settings.Address}/settings/tokens and log in again by attune login.", message);
    }

    [Fact]
    public void NotFound_NameRevisionFile_EachHasItsSentence()
    {
        Assert.StartsWith($"There is no model \"org/other\" on {Settings.Address}", Fails(name: "org/other"), StringComparison.Ordinal);
        Assert.Equal($"The model \"{Model}\" has no revision \"v9\" on {Settings.Address}; give a branch, a tag or a commit.", Fails(revision: "v9"));
        Server.Instead = call => call.Method == "GET" && call.Target.EndsWith("/vocab.txt", StringComparison.Ordinal) ? HubReply.Refused(404, "EntryNotFound", "Entry not found") : null;
        Assert.Equal($"The model \"{Model}\" has no file \"vocab.txt\" at the revision \"{Commit}\" on {Settings.Address}.", Fails());
    }

    [Fact]
    public void Answer_NotOfAHub_IsSaid()
    {
        Server.Instead = _ => new HubReply(200) { Body = "<html>Log in to the Wi-Fi</html>"u8.ToArray() };
        Assert.Contains("does not say which commit the revision \"main\"", Fails(), StringComparison.Ordinal);
    }

    [Fact]
    public void HostileNames_FortyAndMore_LeaveNothingOutside()
    {
        var root = Path.GetDirectoryName(Cache)!;
        Assert.True(RepoPathTests.Hostile.Length >= 40);
        foreach (var name in RepoPathTests.Hostile.Where(name => name.Length > 0 && !name.Contains('\uD800', StringComparison.Ordinal)))
        {
            var repository = Server.Add($"datasets/org/hostile{Server.Repositories.Count}");
            repository.Commit([(name, "evil"u8.ToArray()), ("README.md", "# Rows\n"u8.ToArray())]);
            Assert.StartsWith("The hub names a file", Assert.Throws<AttuneException>(() => Download(name: repository.Name, kind: RepoKind.Dataset)).Message, StringComparison.Ordinal);
        }
        Assert.DoesNotContain(Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories),
            file => !file.StartsWith(Cache + Path.DirectorySeparatorChar, StringComparison.Ordinal) || File.ReadAllText(file) == "evil");
    }

    [Fact]
    public void Dataset_WithFolders_IsThereWhole()
    {
        var repository = Server.Add("datasets/org/rows");
        var commit = repository.Commit([("data/train-00000-of-00001.parquet", Bytes(1000, 1)), ("README.md", "# Rows\n"u8.ToArray()), ("a/b/c.json", "[]"u8.ToArray())]);
        var found = Download(name: "org/rows", kind: RepoKind.Dataset);
        Assert.Equal(Path.Combine(Cache, "datasets--org--rows", "snapshots", commit), found.Path);
        Assert.Equal(Bytes(1000, 1), File.ReadAllBytes(Path.Combine(found.Path, "data", "train-00000-of-00001.parquet")));
        if (!OperatingSystem.IsWindows()) Assert.StartsWith("../../../../blobs/", new FileInfo(Path.Combine(found.Path, "a", "b", "c.json")).LinkTarget, StringComparison.Ordinal);
        Assert.Equal("[]", File.ReadAllText(Path.Combine(found.Path, "a", "b", "c.json")));
    }

    [Fact]
    public void LinksCannotBeMade_FilesStandInTheSnapshot()
    {
        Download(mayLink: false);
        AssertWhole(Needed);
        Assert.Null(new FileInfo(Path.Combine(Snapshot, "vocab.txt")).LinkTarget);
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(Repo, "blobs")));
        var before = Server.Calls.Count;
        Download(mayLink: false);
        Assert.Equal(before + 1, Server.Calls.Count);
    }

    [Fact]
    public void Snapshot_FileDamagedOrLinkDangling_IsMended()
    {
        Download();
        var blob = Path.Combine(Repo, "blobs", HubRepository.Hash("vocab.txt", Repository.Files()["vocab.txt"]));
        File.WriteAllText(blob, "short");
        File.Delete(Path.Combine(Repo, "blobs", HubRepository.Hash("config.json", Repository.Files()["config.json"])));
        Download();
        AssertWhole(Needed);
    }

    [Fact]
    public void SnapshotOfPython_WithoutList_IsTakenAsItIs()
    {
        Download();
        Directory.Delete(Path.Combine(Repo, "trees"), recursive: true);
        var before = Server.Calls.Count;
        Download();
        Assert.Equal(["HEAD", "GET"], Server.Calls.Skip(before).Select(call => call.Method));     // the list alone
    }

    [Fact]
    public async Task SnapshotOfPython_HubListsNothing_IsTakenAsItIs()
    {
        Download();
        Directory.Delete(Path.Combine(Repo, "trees"), recursive: true);
        Server.Instead = call => call.Target.Contains("/tree/", StringComparison.Ordinal) ? new HubReply(503) : null;
        using var download = new HubDownload(Settings, Time, Told.Add, Progress.Add);
        // Twice, as the command asks first for what is small: the hub is waited for once.
        for (var i = 0; i < 2; i++) Assert.Equal(Commit, (await download.GetAsync(Model, RepoKind.Model, null, TestContext.Current.CancellationToken)).Commit);
        Assert.Empty(Time.Waits);
        Assert.Single(Told);
        Assert.Equal(Commit, Download(Settings with { IsOffline = true }, revision: Commit).Commit);
    }

    [Fact]
    public void SnapshotOfPython_NothingThatIsNeeded_IsRefused()
    {
        Directory.CreateDirectory(Path.Combine(Repo, "snapshots", "one"));
        File.WriteAllText(Path.Combine(Repo, "snapshots", "one", "README.md"), "# A model");
        Assert.Equal($"The cache {Cache} has only a part of the model \"{Model}\": none of the files that are needed is in {Path.Combine(Repo, "snapshots", "one")}; " +
            "unset HF_HUB_OFFLINE (or its like) and give the same command again, which fetches it.", Fails(Settings with { IsOffline = true }, "one"));
    }

    [Fact]
    public void Offline_FileMissing_IsNamed()
    {
        Download();
        File.Delete(Path.Combine(Snapshot, "vocab.txt"));
        Assert.Equal($"The cache {Cache} has only a part of the model \"{Model}\": vocab.txt of the commit {Commit} is missing; " +
            "unset HF_HUB_OFFLINE (or its like) and give the same command again, which fetches it.", Fails(Settings with { IsOffline = true }));
        Assert.Contains("vocab.txt of the commit", Fails(Settings with { Endpoint = Closed() }), StringComparison.Ordinal);
        Assert.Empty(Told);
    }

    [Fact]
    public async Task Branch_MovesAndTheSecondStepFails_OlderCommitServesOffline()
    {
        var older = Download();
        Repository.Commit(Files(seed: 5));
        Server.Instead = call => call.IsStorage ? new HubReply(403) : null;
        using var download = new HubDownload(Settings, Time, Told.Add, Progress.Add);
        await Assert.ThrowsAsync<AttuneException>(() => download.GetAsync(
            Model, RepoKind.Model, null, FileChoice.WithoutWeights, TestContext.Current.CancellationToken, (_, all) => FileChoice.Model(all)));
        Assert.Equal(older, Download(Settings with { IsOffline = true }));
    }

    [Fact]
    public void CacheOnlyToBeRead_WithEveryFile_Serves()
    {
        Download();
        foreach (var folder in new[] { "trees", ".no_exist" })
        {
            Directory.Delete(Path.Combine(Repo, folder), recursive: true);
            File.WriteAllText(Path.Combine(Repo, folder), "no folder can be made here");
        }
        Assert.Equal(new ResolvedName(Snapshot, null, Commit), Download());
    }

    [Fact]
    public void CommitOfAFileThatIsAbsent_NotSaid_IsAskedForAnotherWay()
    {
        Commit = Repository.Commit([("vocab.txt", "x"u8.ToArray())]);
        Server.Then = (_, reply) => reply.Status == 404 ? reply with { Headers = new() { ["X-Error-Code"] = "EntryNotFound" } } : reply;
        Assert.Equal(Commit, Download().Commit);
    }

    [Fact]
    public void OldName_InTheCache_IsGoneOnWith()
    {
        var repository = Server.Add("models/google-bert/bert-base-uncased");
        Commit = repository.Commit(Files());
        Server.Moved["bert-base-uncased"] = "google-bert/bert-base-uncased";
        Assert.Contains("models--google-bert--bert-base-uncased", Download(name: "bert-base-uncased").Path, StringComparison.Ordinal);
        Directory.Move(Path.Combine(Cache, "models--google-bert--bert-base-uncased"), Path.Combine(Cache, "models--bert-base-uncased"));
        Assert.Contains("models--bert-base-uncased", Download(name: "bert-base-uncased").Path, StringComparison.Ordinal);
        Assert.Contains("models--bert-base-uncased", Download(name: "google-bert/bert-base-uncased").Path, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(Cache, "models--google-bert--bert-base-uncased")));
    }

    [Fact]
    public void Progress_OfADownload_AddsUp()
    {
        Download();
        Assert.Equal((4, 4), (Progress[^1].Files, Progress[^1].FilesDone));
        Assert.Equal(Progress[^1].Bytes, Progress[^1].BytesDone);
        Assert.Equal(Needed, Progress.Where(step => step.IsFileDone).Select(step => step.File.Path).Order(StringComparer.Ordinal));
        Assert.Equal(Progress.Select(step => step.FilesDone).Order(), Progress.Select(step => step.FilesDone));
    }

    /// <summary>An address at which nothing listens.</summary>
    private static Uri Closed()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return new Uri($"http://{listener.LocalEndpoint}");
    }
}
