using Attune.Hub;

namespace Attune.Tests.Hub;

public sealed class RepoTreeTests : HubFixture
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(1000)]
    public async Task Ask_PagesOfAnySize_GivesAllFiles(int pageSize)
    {
        Server.PageSize = pageSize;
        using var http = new HubHttp(Settings, Time, Told.Add);
        var files = await RepoTree.AskAsync(http, new HubRepo(RepoKind.Model, Model), Commit, TestContext.Current.CancellationToken);
        Assert.Equal(Repository.Files().Keys.Order(StringComparer.Ordinal), files.Select(file => file.Path));
        Assert.All(files, file => Assert.Equal((Repository.Files()[file.Path].Length, HubRepository.Hash(file.Path, Repository.Files()[file.Path])), (file.Size, file.Hash)));
    }

    [Fact]
    public async Task Ask_NextPageOnAnotherHost_IsAskedOfTheHubAlone()
    {
        Server.PageSize = 4;
        Server.Then = (_, reply) => reply.Headers.TryGetValue("Link", out var link)
            ? reply with { Headers = new(reply.Headers) { ["Link"] = link.Replace(Server.Endpoint.AbsoluteUri, "https://elsewhere.example/", StringComparison.Ordinal) } } : reply;
        using var http = new HubHttp(Settings with { Token = Server.Token }, Time, Told.Add);
        var files = await RepoTree.AskAsync(http, new HubRepo(RepoKind.Model, Model), Commit, TestContext.Current.CancellationToken);
        Assert.Equal((Repository.Files().Count, 3), (files.Count, Server.Calls.Count));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[{\"type\": \"file\", \"path\": \"a\", \"size\": 1, \"oid\": \"../../x\"}]")]
    [InlineData("[{\"type\": \"file\", \"path\": \"a\", \"size\": -1, \"oid\": \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}]")]
    [InlineData("[{\"type\": \"file\", \"path\": \"a\", \"size\": 9223372036854775807, \"oid\": \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}]")]
    [InlineData("[{\"type\": \"file\", \"size\": 1, \"oid\": \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}]")]
    [InlineData("[{\"type\": \"file\", \"path\": \"a\", \"size\": \"1\", \"oid\": \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}]")]
    [InlineData("<html>")]
    public void Ask_SomethingElse_IsOneSentence(string answer)
    {
        Server.Instead = call => call.Target.Contains("/tree/", StringComparison.Ordinal) ? HubReply.Json(answer) : null;
        Assert.Equal($"{Settings.Address} does not answer as a hub does; check HF_ENDPOINT, and whether a proxy stands between.", Fails());
        Assert.False(Directory.Exists(Path.Combine(Repo, "blobs")));
    }

    [Fact]
    public void SaveAndLoad_List_IsTheSame()
    {
        using var folder = new Datasets.TemporaryFolder();
        var path = Path.Combine(folder.Path, "tree.json");
        RepoFile[] files =
        [
            new("a/é.json", 5, new string('a', 40), null, null), new("b.safetensors", 7L << 33, new string('b', 40), new string('c', 64), new string('d', 64)),
        ];
        RepoTree.Save(path, files);
        Assert.Equal(files, RepoTree.Load(path));
        // As huggingface_hub writes it.
        Assert.Equal($$"""
            {
             "format_version": 1,
             "files": {
              "a/\u00e9.json": {
               "size": 5,
               "blob_id": "{{new string('a', 40)}}"
              },
              "b.safetensors": {
               "size": 60129542144,
               "blob_id": "{{new string('b', 40)}}",
               "lfs_sha256": "{{new string('c', 64)}}",
               "lfs_size": 60129542144,
               "xet_hash": "{{new string('d', 64)}}"
              }
             }
            }
            """, File.ReadAllText(path), ignoreLineEndingDifferences: true);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"format_version\": 2, \"files\": {}}")]
    [InlineData("{\"format_version\": 1, \"files\": {\"a\": {\"size\": 1, \"blob_id\": \"../x\"}}}")]
    [InlineData("{\"format_version\": 1}")]
    public void Load_Damaged_IsNone(string text)
    {
        using var folder = new Datasets.TemporaryFolder();
        Assert.Null(RepoTree.Load(folder.Write("tree.json", text)));
    }
}
