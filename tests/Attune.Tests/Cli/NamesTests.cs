using Attune.Cli;
using Attune.Hub;
using Attune.Tests.Datasets;

namespace Attune.Tests.Cli;

/// <summary>Names that are no folders here.</summary>
public sealed class NamesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly RecordingTerminal _terminal = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(RepoKind.Model, "There is no folder nofolder here", "a model")]
    [InlineData(RepoKind.Dataset, "There is no folder or file nofolder here", "a data set")]
    public void Asked_HubThatDoesNotAnswer_NamesTheFolderBeforeAndAfter(RepoKind kind, string nothing, string wanted)
    {
        var error = Assert.Throws<AttuneException>(() => Names.Asked("nofolder", kind, null, Settings, _terminal.Terminal, () =>
        {
            Assert.Equal($"{nothing}, so the hub is asked for {wanted} of that name.", Assert.Single(_terminal.Told));       // before it is
            throw new UnreachableException("The hub cannot be reached", null).With("check the network");
        }));
        Assert.Equal($"{nothing}, and fetching {wanted} of that name from the hub fails: The hub cannot be reached; check the network.", error.Message);
    }

    [Fact]
    public void Asked_NameInTheCache_SaysNothing()
    {
        _folder.Write("models--org--name/refs/main", new string('a', 40));
        _folder.Write($"models--org--name/snapshots/{new string('a', 40)}/config.json", "{}");
        Names.Asked("org/name", RepoKind.Model, null, Settings, _terminal.Terminal, () => new ResolvedName("x", null, null));
        Names.Asked("other", RepoKind.Model, null, Settings with { IsOffline = true }, _terminal.Terminal, () => new ResolvedName("x", null, null));
        Assert.Empty(_terminal.Told);
    }

    [Theory]
    [InlineData("./nofolder")]
    [InlineData("/no/folder")]
    [InlineData("nofolder/")]
    [InlineData("~/no such folder")]
    [InlineData("a/b/c")]
    public void Model_PathThatIsNotThere_IsNoNameOfTheHub(string path)
    {
        Assert.StartsWith($"\"{path}\" is neither an existing folder or file nor a possible name of the hub",
            Assert.Throws<AttuneException>(() => Names.Model(path, null, _terminal.Terminal)).Message, StringComparison.Ordinal);
        Assert.Empty(_terminal.Told);
    }

    private HubSettings Settings => new() { Cache = _folder.Path };
}
