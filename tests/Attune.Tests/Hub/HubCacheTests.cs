using Attune.Hub;

namespace Attune.Tests.Hub;

public sealed class HubCacheTests : IDisposable
{
    private const string Commit = "0123456789abcdef0123456789abcdef01234567";
    private const string Older = "89abcdef0123456789abcdef0123456789abcdef";

    private readonly string _cache = Directory.CreateTempSubdirectory("attune-hub-").FullName;

    public void Dispose() => Directory.Delete(_cache, recursive: true);

    [Fact]
    public void Resolve_ExistingFolderOrFile_IsTakenBeforeTheCache()
    {
        Store("models--org--name", "main", Commit);
        var file = Path.Combine(_cache, "rows.csv");
        File.WriteAllText(file, "text,label\n");
        Assert.Equal(new ResolvedName(_cache, null, null), HubCache.Resolve(_cache, RepoKind.Model, null, _cache));
        Assert.Equal(new ResolvedName(file, null, null), HubCache.Resolve(file, RepoKind.Dataset, null, _cache));
    }

    [Fact]
    public void Resolve_NameInTheCache_IsTheSnapshotOfItsRevision()
    {
        Store("models--org--name", "main", Commit);
        Store("models--org--name", "v1", Older);
        Store("models--org--name", "refs/pr/1", Older);
        Assert.Equal(new ResolvedName(Snapshot("models--org--name", Commit), null, Commit), Model("org/name"));
        Assert.Equal(Older, Model("org/name", "v1").Commit);
        Assert.Equal(Older, Model("org/name", "refs/pr/1").Commit);
        Assert.Equal(Older, Model("org/name", Older).Commit);
    }

    [Theory]
    [InlineData("bert-base-uncased", "models--google-bert--bert-base-uncased")]
    [InlineData("bert-base-uncased", "models--bert-base-uncased")]
    [InlineData("google-bert/bert-base-uncased", "models--google-bert--bert-base-uncased")]
    [InlineData("google-bert/bert-base-uncased", "models--bert-base-uncased")]
    [InlineData("roberta-base", "models--FacebookAI--roberta-base")]
    [InlineData("distilbert/distilbert-base-uncased", "models--distilbert-base-uncased")]
    public void Resolve_CanonicalModel_IsFoundUnderBothForms(string name, string stored)
    {
        Store(stored, "main", Commit);
        Assert.Equal(Snapshot(stored, Commit), Model(name).Path);
    }

    [Theory]
    [InlineData("glue", "datasets--nyu-mll--glue", null)]
    [InlineData("glue", "datasets--glue", null)]
    [InlineData("glue/sst2", "datasets--nyu-mll--glue", "sst2")]
    [InlineData("glue/mnli_matched", "datasets--glue", "mnli_matched")]
    [InlineData("nyu-mll/glue", "datasets--glue", null)]
    [InlineData("imdb", "datasets--stanfordnlp--imdb", null)]
    public void Resolve_CanonicalDataset_IsFoundUnderBothFormsWithItsConfig(string name, string stored, string? config)
    {
        Store(stored, "main", Commit);
        Assert.Equal(new ResolvedName(Snapshot(stored, Commit), config, Commit), HubCache.Resolve(name, RepoKind.Dataset, null, _cache));
    }

    [Fact]
    public void Resolve_OtherOrganisationsModelOfACanonicalName_IsNotTakenForIt()
    {
        Store("models--bert-base-uncased", "main", Commit);
        Assert.Throws<AttuneException>(() => Model("someone/bert-base-uncased"));
    }

    [Fact]
    public void Resolve_Unknown_SaysWhereItLookedAndWhatToDo()
    {
        var message = Assert.Throws<AttuneException>(() => HubCache.Resolve("glue/sst2", RepoKind.Dataset, "v2", _cache)).Message;
        Assert.Equal($"The data set \"glue/sst2\" at the revision \"v2\" is neither a folder here nor in the cache {_cache} " +
            "(looked for datasets--nyu-mll--glue and datasets--glue); download it by " +
            "\"attune download --repo-type dataset nyu-mll/glue\", or give the path of a folder that holds it.", message);
    }

    [Fact]
    public void Resolve_ReferenceWithoutItsSnapshot_IsNotFound()
    {
        Store("models--org--name", "main", Commit);
        Directory.Delete(Snapshot("models--org--name", Commit));
        Assert.Throws<AttuneException>(() => Model("org/name"));
    }

    [Fact]
    public void Resolve_ReferenceThatLeadsElsewhere_IsNotFollowed()
    {
        Store("models--org--name", "main", Commit);
        File.WriteAllText(Path.Combine(_cache, "models--org--name", "refs", "main"), "../../..");
        Assert.Throws<AttuneException>(() => Model("org/name"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("../secret")]
    [InlineData("a/b/c")]
    [InlineData("a\\b")]
    [InlineData("org/na--me")]
    [InlineData("org/-name")]
    [InlineData("org/name.")]
    [InlineData("org/na..me")]
    [InlineData("org/name.git")]
    [InlineData("C:/models")]
    [InlineData("na me")]
    [InlineData("/no/such/folder")]
    [InlineData("glue/ss t2")]
    public void Resolve_ImpossibleName_IsRefused(string name) =>
        Assert.Throws<AttuneException>(() => HubCache.Resolve(name, RepoKind.Dataset, null, _cache));

    [Theory]
    [InlineData("../main")]
    [InlineData("a//b")]
    [InlineData("/etc")]
    [InlineData("a\\b")]
    public void Resolve_ImpossibleRevision_IsRefused(string revision)
    {
        Store("models--org--name", "main", Commit);
        Assert.Contains("The revision", Assert.Throws<AttuneException>(() => Model("org/name", revision)).Message);
    }

    [Fact]
    public void Folder_ByTheEnvironment_FollowsHuggingFacesOrder()
    {
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        var variables = new Dictionary<string, string>();
        string Folder() => HubCache.Folder(variables.GetValueOrDefault);
        Assert.Equal(Path.Combine(home, ".cache", "huggingface", "hub"), Folder());
        variables["XDG_CACHE_HOME"] = "/xdg";
        Assert.Equal(Path.Combine("/xdg", "huggingface", "hub"), Folder());
        variables["HF_HOME"] = "~/hf";
        Assert.Equal(Path.Combine(home, "hf", "hub"), Folder());
        variables["HF_HUB_CACHE"] = "/cache";
        Assert.Equal("/cache", Folder());
    }

    private ResolvedName Model(string name, string? revision = null) => HubCache.Resolve(name, RepoKind.Model, revision, _cache);

    private string Snapshot(string repo, string commit) => Path.Combine(_cache, repo, "snapshots", commit);

    private void Store(string repo, string reference, string commit)
    {
        var path = Path.Combine(_cache, repo, "refs", reference);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, commit);
        Directory.CreateDirectory(Snapshot(repo, commit));
    }
}
