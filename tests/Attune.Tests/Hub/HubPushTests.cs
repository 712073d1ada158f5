using Attune.Hub;

namespace Attune.Tests.Hub;

public sealed class HubPushTests : HubFixture
{
    private readonly Datasets.TemporaryFolder _here = new();

    public HubPushTests()
    {
        foreach (var (path, content) in Files(200_000)) _here.Write(path, content);
        _here.Write("empty.bin", "");
        _here.Write("checkpoint-5/model.safetensors", "not this");
        _here.Write("_notes.txt", "nor this");
        _here.Write(".cache/x", "nor this");
        _here.Write("x.ignored", "the hub does not want it");
    }

    private static string[] Pushed => [.. Files().Select(file => file.Item1).Where(path => path[0] != '.').Append("empty.bin").Order(StringComparer.Ordinal)];

    private HubSettings WithToken => Settings with { Token = Server.Token, TokenSource = "HF_TOKEN", SendsToken = false };

    [Theory]
    [InlineData(int.MaxValue)]
    [InlineData(70_000)]
    [InlineData(200_000)]
    [InlineData(100_000)]
    public void Push_NewRepository_ArrivesWhole(int partSize)
    {
        Server.Uploads.PartSize = partSize;
        var pushed = Push("new/model", isPrivate: true);
        Assert.Equal(($"{Settings.Address}/new/model", Server.Repositories["models/new/model"].Branches["main"]), (pushed.Page, pushed.Commit));
        AssertArrived("models/new/model");
        Assert.Equal("private", Server.Uploads.Created["models/new/model"]["visibility"]!.ToString());
        Assert.Equal("A message", Assert.Single(Server.Uploads.Messages));
        Assert.All(Server.Calls, call => Assert.Equal(call.IsStorage, call.Token is null));
        Assert.Equal(Progress[^1].Bytes, Progress[^1].BytesDone);
    }

    [Fact]
    public void Push_Again_MakesNoCommit()
    {
        Push("new/model");
        var before = Server.Calls.Count;
        Assert.Null(Push("new/model").Commit);
        Assert.Equal(2, Server.Calls.Count - before);                      // make it, compare
    }

    [Fact]
    public void Push_OneFileChanged_SendsIt()
    {
        Push("new/model");
        _here.Write("config.json", "{}");
        Assert.Equal(["config.json"], Push("new/model").Files);
        AssertArrived("models/new/model");
    }

    [Fact]
    public void Push_NameAlone_GoesToTheAccount()
    {
        Push("model");
        AssertArrived("models/someone/model");
    }

    [Fact]
    public void Push_OtherBranch_LeavesMainAlone()
    {
        Push(Model, revision: "trial/1");
        AssertArrived("models/" + Model, "trial/1");
        Assert.Equal(Commit, Repository.Branches["main"]);
    }

    [Fact]
    public void Push_ThenDownload_IsTheSame()
    {
        var commit = Push("new/model").Commit!;
        var found = Download(WithToken, name: "new/model");
        Assert.Equal(commit, found.Commit);
        foreach (var file in Needed) Assert.Equal(File.ReadAllBytes(Path.Combine(_here.Path, file)), File.ReadAllBytes(Path.Combine(found.Path, file)));
    }

    [Fact]
    public void Push_StorageBusy_IsSentAgain()
    {
        var times = 0;
        Server.Instead = call => call.IsStorage && times++ < 3 ? new HubReply(500) : null;
        Push("new/model");
        AssertArrived("models/new/model");
    }

    [Fact]
    public void Push_Refused_CommitsNothing()
    {
        Server.Instead = call => call.IsStorage ? new HubReply(403) : null;
        Assert.StartsWith("The hub's storage does not take ", Assert.Throws<AttuneException>(() => Push("new/model")).Message, StringComparison.Ordinal);
        Assert.Empty(Server.Uploads.Messages);
        Server.Instead = call => call.Target.EndsWith("/api/repos/create", StringComparison.Ordinal) ? HubReply.Refused(403, "", "You don't have the rights")
            : call.Target.Contains("/preupload/", StringComparison.Ordinal) ? HubReply.Refused(404, "RepoNotFound", "Repository not found") : null;
        Assert.StartsWith($"{Settings.Address} forbids this token (HF_TOKEN) to do this with the model \"new/model\": You don't have the rights; give a token",
            Assert.Throws<AttuneException>(() => Push("new/model")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Push_TokenMayNotCreateButWrite_GoesOn()
    {
        Server.Instead = call => call.Target.EndsWith("/api/repos/create", StringComparison.Ordinal) ? HubReply.Refused(403, "", "You don't have the rights") : null;
        Assert.NotNull(Push(Model).Commit);
        AssertArrived("models/" + Model);
    }

    [Fact]
    public void Push_LinkedFiles_ArriveAsFilesAndDanglingOnesAreOneSentence()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links need a right of their own on Windows.");
        File.Move(Path.Combine(_here.Path, "vocab.txt"), Path.Combine(_here.Path, ".vocab"));
        File.CreateSymbolicLink(Path.Combine(_here.Path, "vocab.txt"), ".vocab");
        Push("new/model");
        AssertArrived("models/new/model");
        File.CreateSymbolicLink(Path.Combine(_here.Path, "merges.txt"), "nowhere");
        Assert.StartsWith($"{_here.Path} cannot be read: ", Assert.Throws<AttuneException>(() => Push("new/model")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Push_WithoutTokenOrFolderOrNetwork_IsOneSentence()
    {
        Assert.StartsWith("Pushing needs a token of the hub that may write", Assert.Throws<AttuneException>(() => Push("new/model", settings: Settings)).Message, StringComparison.Ordinal);
        Assert.StartsWith("HF_HUB_OFFLINE", Assert.Throws<AttuneException>(() => Push("new/model", settings: WithToken with { IsOffline = true })).Message, StringComparison.Ordinal);
        Assert.EndsWith("is no folder; give the folder of a model, such as trainer_output.", Assert.Throws<AttuneException>(() => HubPush.FilesOf(Path.Combine(_here.Path, "none"))).Message, StringComparison.Ordinal);
        Assert.Empty(Server.Calls);
    }

    [Fact]
    public void FilesOf_WhatTellsOfTheUsersDataAndMachine_IsLeftOut()
    {
        var before = HubPush.FilesOf(_here.Path).Select(file => file.Path).ToList();
        foreach (var name in (string[])["train.csv.bad-rows.jsonl", "train.csv.2.bad-rows.jsonl", "attune_config.json"]) File.WriteAllText(Path.Combine(_here.Path, name), "{}");
        Assert.Equal(before, HubPush.FilesOf(_here.Path).Select(file => file.Path));
    }

    private Pushed Push(string name, bool isPrivate = false, string? revision = null, HubSettings? settings = null)
    {
        using var http = new HubHttp(settings ?? WithToken, Time, Told.Add);
        return new HubPush(http, Progress.Add).RunAsync(_here.Path, name, RepoKind.Model, isPrivate, revision, "A message", TestContext.Current.CancellationToken).GetAwaiter().GetResult();
    }

    private void AssertArrived(string repository, string branch = "main")
    {
        var files = Server.Repositories[repository].Files(branch);
        foreach (var path in Pushed) Assert.True(File.ReadAllBytes(Path.Combine(_here.Path, path)).AsSpan().SequenceEqual(files[path]), path);
        Assert.DoesNotContain(files.Keys, path => path.Contains("checkpoint", StringComparison.Ordinal) || path.EndsWith(".ignored", StringComparison.Ordinal) || path[0] == '_');
    }
}
